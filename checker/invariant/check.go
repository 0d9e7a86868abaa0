// SPDX-License-Identifier: Apache-2.0

package invariant

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// Check is one thing that is judged of a run.
type Check struct {
	// Key names it in scenarios, results, reports and documentation.
	Key string
	// Name is the key for people.
	Name string
	// Doc says in a sentence what holds if it passes.
	Doc string
	// Needs are the facts without which it is inconclusive.
	Needs []Need
	// AfterHealing says that it judges what was found after healing: it is not
	// judged if the run did not come that far.
	AfterHealing bool
	// NeverViolates says that it only judges whether a pass means something: it
	// is inconclusive at worst.
	NeverViolates bool
	// UnlessStopped says that it is not judged if the run stopped at a
	// violation that was seen while it went on.
	UnlessStopped bool
	// Applies reports whether there is anything to judge at all; nil: always.
	Applies func(f *Facts) bool
	// Settings is the zero value of a struct: what a scenario may set; nil:
	// nothing. Its fields are tagged like those of package scenarios.
	Settings any

	judge func(j *judgement, f *Facts, settings any)
}

// Need is something that has to be recorded for a check.
type Need struct {
	What     string
	recorded func(f *Facts) bool
}

// replicated reports whether any cluster has more than one member; if it is not
// known which there are, one may have.
func replicated(f *Facts) bool {
	return len(f.Clusters) == 0 || slices.ContainsFunc(f.Clusters, func(c Cluster) bool { return c.Size > 1 })
}

// What checks need.
var (
	needHistory     = Need{"the history", func(f *Facts) bool { return len(f.Ops) > 0 }}
	needClusters    = Need{"which clusters there should be", func(f *Facts) bool { return len(f.Clusters) > 0 }}
	needHosts       = Need{"what runs on the hosts", func(f *Facts) bool { return f.Hosts != nil }}
	needPicture     = Need{"Drummer's picture", func(f *Facts) bool { return f.Picture != nil }}
	needMemberships = Need{"the nodes' views of their memberships", func(f *Facts) bool { return f.Memberships != nil }}
	needDigests     = Need{"digests of the replicas", func(f *Facts) bool { return f.Digests != nil }}
	needLeaders     = Need{"which nodes led in which terms", func(f *Facts) bool { return f.Leaders != nil }}
	needBeliefs     = Need{"whom the nodes took for their leaders", func(f *Facts) bool { return f.Beliefs != nil }}
	needProbes      = Need{"the answers after healing", func(f *Facts) bool { return f.Probes != nil }}
	needRepairs     = Need{"which members were lost and replaced", func(f *Facts) bool { return f.Repairs != nil }}
	needStalls      = Need{"how long writes stalled", func(f *Facts) bool { return f.Stalls != nil }}
	needFaults      = Need{"the injected faults", func(f *Facts) bool { return f.Faults != nil }}
	needProcess     = Need{"how the process of the world ended", func(f *Facts) bool { return f.Process != nil }}
	needLaunch      = Need{"the launch of the clusters", func(f *Facts) bool { return f.Launch != nil }}
)

// table holds every check, by key.
var table = map[string]*Check{}

// define adds a check to the table. Its judge gets the settings that the
// scenario has, and returns what to say if all is well.
func define[S any](c Check, judge func(j *judgement, f *Facts, s *S) string) string {
	if table[c.Key] != nil {
		panic("invariant: two checks have the key " + c.Key)
	}
	var zero S
	if _, without := any(zero).(noSettings); !without {
		c.Settings = zero
	}
	c.judge = func(j *judgement, f *Facts, settings any) {
		s, _ := settings.(*S)
		j.well = judge(j, f, s)
	}
	table[c.Key] = &c
	return c.Key
}

// noSettings is for checks that have none; they get a nil pointer.
type noSettings struct{}

// Checks lists all checks in the order of their keys.
func Checks() []Check {
	all := make([]Check, 0, len(table))
	for _, key := range sortedKeys(table) {
		all = append(all, *table[key])
	}
	return all
}

// Judge judges the facts of a run by every check that settings enables. settings
// also returns a pointer to a struct of the type of the check's Settings. A check
// makes at least one finding if it applies. Findings come in the order of Checks.
func Judge(ctx context.Context, f *Facts, settings func(c Check) (of any, enabled bool)) []Finding {
	var all []Finding
	for _, c := range Checks() {
		if s, enabled := settings(c); enabled && c.applies(f) {
			all = append(all, c.run(ctx, f, s)...)
		}
	}
	return all
}

func (c Check) applies(f *Facts) bool {
	switch {
	case c.AfterHealing && !f.Healed, c.UnlessStopped && f.Stopped:
		return false
	}
	return c.Applies == nil || c.Applies(f)
}

func (c Check) run(ctx context.Context, f *Facts, settings any) []Finding {
	j := &judgement{ctx: ctx, key: c.Key}
	for _, n := range c.Needs {
		if !n.recorded(f) {
			j.inconclusive("%s: not recorded", n.What)
		}
	}
	if len(j.unclear) == 0 {
		c.judge(j, f, settings)
	}
	return j.findings()
}

// Finding is the result of one check: what was looked at, or what is wrong.
type Finding struct {
	Check   string  `json:"name"` // its key
	Verdict Verdict `json:"verdict"`
	Detail  string  `json:"detail"`
	// Measured says that by its settings nothing could have been wrong: Detail is
	// what was found, and a pass says nothing more.
	Measured bool `json:"measured,omitempty"`
	// Cluster, Key and Operations say where a violation is, if it is on a key:
	// Operations is the smallest set found that cannot be ordered.
	Cluster    uint64       `json:"cluster,omitempty"`
	Key        string       `json:"key,omitempty"`
	Operations []history.Op `json:"-"`
	// Checked counts the operations that were judged to the end.
	Checked int `json:"-"`
}

// Verdict is the judgement of one check.
type Verdict string

// The three verdicts.
const (
	Pass         Verdict = "pass"
	Violation    Verdict = "violation"
	Inconclusive Verdict = "inconclusive"
)

// gravity orders verdicts: a violation is certain whatever else is unknown.
var gravity = map[Verdict]int{Pass: 0, Inconclusive: 1, Violation: 2}

// Worst returns the gravest of verdicts; pass of none.
func Worst(verdicts ...Verdict) Verdict {
	return slices.MaxFunc(append(verdicts, Pass), func(a, b Verdict) int { return cmp.Compare(gravity[a], gravity[b]) })
}

// judgement collects what a check finds wrong or can't tell, and makes the
// finding of it.
type judgement struct {
	ctx            context.Context
	key            string
	wrong, unclear []string
	well           string
	measured       bool // by its settings nothing can be wrong
	checked        int
	separate       []Finding // that stand for themselves
}

func (j *judgement) violation(format string, args ...any) {
	j.wrong = append(j.wrong, fmt.Sprintf(format, args...))
}

func (j *judgement) inconclusive(format string, args ...any) {
	j.unclear = append(j.unclear, fmt.Sprintf(format, args...))
}

// maxListed is how many of the things that are wrong a finding lists.
const maxListed = 5

// findings returns those that stand for themselves, or else one: a violation if
// anything is wrong, else inconclusive if anything is unclear, else pass.
func (j *judgement) findings() []Finding {
	if len(j.separate) > 0 {
		return j.separate
	}
	f := Finding{Check: j.key, Verdict: Pass, Detail: j.well, Measured: j.measured, Checked: j.checked}
	switch {
	case len(j.wrong) > 0:
		f.Verdict, f.Detail, f.Measured = Violation, list(j.wrong), false
	case len(j.unclear) > 0:
		f.Verdict, f.Detail, f.Measured = Inconclusive, list(j.unclear), false
	}
	return []Finding{f}
}

// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"fmt"
	"slices"
	"strings"

	"github.com/drumbeat-raft/drumbeat/monkey/rundir"
)

// The names of the checks that this package makes itself; the others are
// checker/invariant's.
const (
	Process         = "process"
	Launch          = "launch"
	Linearizability = "linearizability"
	FaultsBit       = "faults took effect"
	Asked           = "operator's wishes"
)

// process judges how the process that held the world ended. A panic in it is a
// panic of the system under test: a finding, like any other violation.
func (e *evidence) process() Check {
	c := Check{Name: Process, Verdict: Pass, Detail: "the system ran to the end without a panic"}
	switch {
	case e.end != nil && e.end.Panic != "":
		c.Verdict = Violation
		c.Detail = fmt.Sprintf("the process ended with the panic %q; its stack is in end.json", firstLine(e.end.Panic))
	case len(e.unbooted()) > 0:
		c.Verdict, c.Detail = Violation, strings.Join(e.unbooted(), "; ")
	case e.outcome != nil && len(e.outcome.Hidden) > 0:
		c.Verdict, c.Detail = Violation, strings.Join(e.outcome.Hidden, "; ")
	case e.end != nil && e.end.Killed:
		c.Verdict, c.Detail = Inconclusive, "the process did not stop when asked to, and was killed"
	case e.end != nil && e.end.Error != "":
		c.Verdict, c.Detail = Inconclusive, e.end.Error
	case e.outcome == nil:
		c.Verdict, c.Detail = Inconclusive, "the run was killed, so no facts were collected after healing"
	case e.stoppedEarly():
		c.Detail = e.outcome.Cause
	case !e.outcome.Finished:
		c.Verdict, c.Detail = Inconclusive, e.outcome.Cause
	}
	return c
}

// stoppedEarly tells whether the run stopped because it had seen a violation.
// Then nobody asks whether it did enough.
func (e *evidence) stoppedEarly() bool {
	return e.outcome != nil && !e.outcome.Finished &&
		slices.ContainsFunc(e.events, func(ev rundir.Event) bool { return ev.Kind == rundir.Violated })
}

// unbooted lists the hosts that did not start again on what their disks held.
func (e *evidence) unbooted() []string {
	var all []string
	for _, ev := range e.events {
		if ev.Kind == rundir.BootFailed {
			all = append(all, ev.Text)
		}
	}
	return all
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// launch judges whether all clusters ran in full before the first fault.
func (e *evidence) launch() Check {
	c := Check{Name: Launch}
	want := e.scenario.Clusters.Count
	switch {
	case e.outcome == nil:
		c.Verdict, c.Detail = Inconclusive, "nothing is known of the launch"
	case e.outcome.Launched == want:
		c.Verdict, c.Detail = Pass, fmt.Sprintf("all %d clusters ran in full after %.1f s", want, e.outcome.Launch.Seconds())
	case e.outcome.Launch == 0:
		c.Verdict, c.Detail = Inconclusive, "the run ended before the launch did"
	default:
		c.Verdict, c.Detail = Violation, fmt.Sprintf("%d of %d clusters ran in full after %.0f s without any fault", e.outcome.Launched, want, e.outcome.Launch.Seconds())
	}
	return c
}

// asked judges whether what the scenario's operator asked of Drummer holds in
// the end: sizes, deletions, drains.
func (e *evidence) asked() []Check {
	if len(e.scenario.Actions) == 0 || e.outcome == nil || !e.outcome.Finished {
		return nil
	}
	c := Check{Name: Asked, Verdict: Pass, Detail: fmt.Sprintf("%d actions were taken, and all that they ask for holds", len(e.scenario.Actions))}
	if len(e.outcome.Misfits) > 0 {
		c.Verdict, c.Detail = Violation, strings.Join(e.outcome.Misfits, "; ")
	}
	return []Check{c}
}

// bite judges whether the faults that the scenario insists on took effect
// often enough. A run in which they did not proves nothing.
func (e *evidence) bite(faults []Fault) []Check {
	c := Check{Name: FaultsBit, Verdict: Pass}
	wanted, missing := 0, []string{}
	for _, k := range wantedOf(e) {
		wanted++
		got := 0
		for _, f := range faults {
			if f.Kind == k.kind && f.Target == k.target && f.Forever == k.forever {
				got = f.Effect
			}
		}
		if got < k.atLeast {
			missing = append(missing, fmt.Sprintf("%s took effect %d times, wanted at least %d", k, got, k.atLeast))
		}
	}
	if wanted == 0 || e.stoppedEarly() {
		return nil
	}
	c.Detail = fmt.Sprintf("each of the %d kinds that the scenario insists on took effect as often as it says", wanted)
	if len(missing) > 0 {
		c.Verdict, c.Detail = Inconclusive, strings.Join(missing, "; ")
	}
	return []Check{c}
}

// insisted is how often a scenario wants a kind of fault on a target.
type insisted struct {
	kind, target string
	forever      bool
	atLeast      int
}

func (k insisted) String() string {
	if k.forever {
		return k.kind + " of " + k.target + " for ever"
	}
	return k.kind + " of " + k.target
}

// wantedOf adds up the scenario's entries of the same kind and target.
func wantedOf(e *evidence) []insisted {
	var all []insisted
	for _, f := range e.scenario.Faults {
		if f.AtLeast == 0 {
			continue
		}
		k := insisted{f.Kind, f.Target.String(), f.Forever, f.AtLeast}
		i := slices.IndexFunc(all, func(x insisted) bool { return x.String() == k.String() })
		if i < 0 {
			all = append(all, k)
		} else {
			all[i].atLeast += k.atLeast
		}
	}
	return all
}

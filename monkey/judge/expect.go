// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/invariant"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// measure is something that a scenario may expect: a line of the table below.
type measure struct {
	scenarios.Measure
	// number is what was counted, or timed in nanoseconds.
	number func(r *Recording, res *Result) float64
	// names are what there was.
	names func(r *Recording, res *Result) []string
	// untold says why there is nothing to count or to time; empty: there is. May
	// be nil.
	untold func(r *Recording, res *Result) string
	// absent says that the names must not be there.
	absent bool
	// early says that it can be told before the run was healed.
	early bool
}

// measures is the table of all that a scenario may expect.
var measures = []measure{
	count("replaced", "How often a cluster became whole again with another member in the place of a dead one; a cluster may count several times.", func(r *Recording, res *Result) int { return res.Repair.Count }),
	count("restored", "How often a cluster became whole again because its own members came back.", func(r *Recording, res *Result) int { return res.Repair.Restored }),
	count("moved", "How often a cluster got other members though none had failed.", func(r *Recording, res *Result) int { return res.Repair.Moved }),
	count("elections", "Leaders that announced themselves, DrummerDB's included.", func(r *Recording, res *Result) int { return res.Concurrency.Elections }),
	count("interrupted_repairs", "Replacements that were under way when a Drummer server went down.", func(r *Recording, res *Result) int { return r.interruptedRepairs() }),
	count("restarted_without_log", "Nodes that ran again under their NodeID on a host that had lost its disk, and with it their log and votes.", func(r *Recording, res *Result) int {
		return r.restartedWithoutLog()
	}),
	count("upgrades", "Processes of NodeHosts that were started with another version of the state machine than the one before on their host.", func(r *Recording, res *Result) int { return r.outcome().Upgrades }),
	count("older_snapshots", "Snapshots that a later version of the state machine read than wrote them: on an upgraded host's own disk, or sent by a host that was not upgraded yet.", func(r *Recording, res *Result) int { return int(r.outcome().OlderRead) }),
	count("newer_snapshots", "Snapshots that an earlier version of the state machine read than wrote them: sent by an upgraded host, or on a disk whose host was set back.", func(r *Recording, res *Result) int { return int(r.outcome().NewerRead) }),
	count("snapshots_taken", "Snapshots that nodes took over from leaders, in the simulation.", func(r *Recording, _ *Result) int { return r.raftSafety().Snapshots }).unless(messagesUnseen),
	count("snapshots_late", "Snapshots that arrived, in the simulation, at nodes that had gone past them: what is older than the state must not be taken (check snapshots).", func(r *Recording, _ *Result) int {
		return r.raftSafety().LateSnapshots
	}).unless(messagesUnseen),
	span("launch", "Time until all clusters ran in full.", func(r *Recording, res *Result) time.Duration { return r.outcome().Launch }),
	span("settle", "Time from the end of the last fault until all was whole.", func(r *Recording, res *Result) time.Duration { return r.outcome().Settle }),
	span("repair", "Longest time from the death of a member to the full strength of its cluster.", func(r *Recording, res *Result) time.Duration {
		return inSeconds(res.Repair.MaxSeconds)
	}).unless(func(r *Recording, res *Result) string {
		if res.Repair.Count == 0 {
			return "no member was replaced"
		}
		return ""
	}),
	span("write_stall", "Longest time that a cluster completed no write, but for times during at least half of which it had no quorum.", func(r *Recording, res *Result) time.Duration { return inSeconds(res.Repair.MaxWriteStallSeconds) }),
	span("replacement_stall", "Longest time that a cluster completed no write while a member was replaced and no fault was at work.", func(r *Recording, res *Result) time.Duration {
		return inSeconds(res.Repair.ReplacementStallSeconds)
	}).unless(func(r *Recording, res *Result) string {
		if len(r.undisturbedReplacements()) == 0 {
			return "no member was replaced while no fault was at work"
		}
		return ""
	}),
	span("unavailable", "Longest time that a cluster had no majority of running voters.", func(r *Recording, res *Result) time.Duration { return inSeconds(res.Repair.MaxOutageSeconds) }),
	{Measure: scenarios.Measure{Key: "event", Unit: scenarios.NameSet, Doc: "Kinds of event that Drummer's event log has.", Names: eventKinds}, names: events},
	{Measure: scenarios.Measure{Key: "no_event", Unit: scenarios.NameSet, Doc: "Kinds of event that Drummer's event log does not have.", Names: eventKinds, Validate: notWithout("event")}, names: events, absent: true},
	{Measure: scenarios.Measure{Key: "request", Unit: scenarios.NameSet, Doc: "Kinds of request that Drummer made to NodeHosts.", Names: requestKinds}, names: requests},
	{Measure: scenarios.Measure{Key: "no_request", Unit: scenarios.NameSet, Doc: "Kinds of request that Drummer did not make to NodeHosts.", Names: requestKinds, Validate: notWithout("request")}, names: requests, absent: true},
	{Measure: scenarios.Measure{Key: "violation", Unit: scenarios.NameSet, Doc: "Checks that find a violation. If they do, the run ends in one, as it should; if not, it is inconclusive.", Names: violableChecks, Validate: isChecked}, names: violated, early: true},
}

func init() {
	for _, m := range measures {
		scenarios.RegisterMeasure(m.Measure)
	}
}

func count(key, doc string, number func(r *Recording, res *Result) int) measure {
	return measure{Measure: scenarios.Measure{Key: key, Doc: doc, Unit: scenarios.Count},
		number: func(r *Recording, res *Result) float64 { return float64(number(r, res)) }}
}

func span(key, doc string, number func(r *Recording, res *Result) time.Duration) measure {
	return measure{Measure: scenarios.Measure{Key: key, Doc: doc, Unit: scenarios.Time},
		number: func(r *Recording, res *Result) float64 { return float64(number(r, res)) }}
}

// unless adds what a measure needs to be told at all.
func (m measure) unless(untold func(r *Recording, res *Result) string) measure {
	m.untold = untold
	return m
}

// raftSafety is what the messages of Raft say; nothing, where they were not seen.
func (r *Recording) raftSafety() invariant.RaftSafety {
	if seen := r.outcome().Facts.RaftSafety; seen != nil {
		return *seen
	}
	return invariant.RaftSafety{}
}

// messagesUnseen says so where the world has not watched the messages of Raft.
func messagesUnseen(r *Recording, _ *Result) string {
	if r.outcome().Facts.RaftSafety == nil {
		return "the messages of Raft were not seen"
	}
	return ""
}

func inSeconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func events(r *Recording, _ *Result) []string {
	var kinds []string
	timeline.All(r.Timeline, func(_ time.Duration, d timeline.Decided) { kinds = append(kinds, d.Event) })
	return unique(kinds)
}

func requests(_ *Recording, res *Result) []string { return slices.Sorted(maps.Keys(res.Drummer)) }

func requestKinds() []string {
	var names []string
	for _, k := range slices.Sorted(maps.Keys(pb.RequestKind_name)) {
		if kind := pb.RequestKind(k); kind != pb.RequestKind_REQUEST_KIND_UNSPECIFIED {
			names = append(names, timeline.RequestName(kind))
		}
	}
	return names
}

func eventKinds() []string {
	var names []string
	for _, k := range pb.EventKinds {
		names = append(names, k.Name)
	}
	return names
}

func violated(_ *Recording, res *Result) []string {
	var keys []string
	for _, c := range res.Checks {
		if c.Verdict == Violation {
			keys = append(keys, c.Name)
		}
	}
	return unique(keys)
}

// violableChecks are the keys of the checks that can find a violation.
func violableChecks() []string {
	var keys []string
	for _, c := range invariant.Checks() {
		if !c.NeverViolates {
			keys = append(keys, c.Key)
		}
	}
	return keys
}

// isChecked refuses a violation of a check that the scenario switches off.
func isChecked(s *scenarios.Scenario, e scenarios.Expectation) string {
	for _, key := range e.Names {
		if !s.Checks.Enabled(key) {
			return fmt.Sprintf("found %s, which checks.%s switches off", key, key)
		}
	}
	return ""
}

// notWithout makes a measure of absence refuse a name whose presence another
// measure asserts.
func notWithout(other string) func(*scenarios.Scenario, scenarios.Expectation) string {
	return func(s *scenarios.Scenario, e scenarios.Expectation) string {
		for _, x := range s.Expect {
			for _, name := range x.Names {
				if x.Measure == other && slices.Contains(e.Names, name) {
					return fmt.Sprintf("found %s, which expect.%s asks for", name, other)
				}
			}
		}
		return ""
	}
}

func unique(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

// expectations compares what the scenario expects with what happened. An
// expectation that is not met is a violation; one that can't be told is
// inconclusive, and so is a violation that was to be found and was not.
func (r *Recording) expectations(facts *invariant.Facts, res *Result) []Expectation {
	all := []Expectation{}
	for _, x := range r.Scenario.Expect {
		i := slices.IndexFunc(measures, func(m measure) bool { return m.Key == x.Measure })
		all = append(all, measures[i].compare(x, facts, r, res))
	}
	if res.Bug != nil {
		all = append(all, found(res))
	}
	return all
}

func (m measure) compare(x scenarios.Expectation, facts *invariant.Facts, r *Recording, res *Result) Expectation {
	if m.Unit != scenarios.NameSet {
		return m.compareNumber(x, facts, r, res)
	}
	e := Expectation{Name: x.Measure, Expected: x.String(), Verdict: Pass}
	if !facts.Healed && !m.early {
		e.Verdict, e.Detail = Inconclusive, fmt.Sprintf("expected %s; the run did not come to its end", m.wanted(x))
		return e
	}
	there := m.names(r, res)
	var wrong []string
	for _, name := range x.Names {
		if slices.Contains(there, name) == m.absent {
			wrong = append(wrong, name)
		}
	}
	switch {
	case len(wrong) == 0 && m.absent:
		e.Detail = fmt.Sprintf("expected %s; there was none", m.wanted(x))
	case len(wrong) == 0:
		e.Detail = fmt.Sprintf("expected %s, as it was", x)
	case m.early:
		e.Verdict, e.Detail = Inconclusive, fmt.Sprintf("expected %s; not found: %s", x, strings.Join(wrong, ", "))
	case m.absent:
		e.Verdict, e.Detail = Violation, fmt.Sprintf("expected %s; there was %s", m.wanted(x), strings.Join(wrong, ", "))
	default:
		e.Verdict, e.Detail = Violation, fmt.Sprintf("expected %s; there was no %s", x, strings.Join(wrong, ", "))
	}
	return e
}

// wanted says which names are wanted, or not.
func (m measure) wanted(x scenarios.Expectation) string {
	if m.absent {
		return "none of " + x.String()
	}
	return x.String()
}

// compareNumber compares what was counted or timed. All of that only grows while
// a run goes on, so that a limit which was passed is passed, whatever came after.
func (m measure) compareNumber(x scenarios.Expectation, facts *invariant.Facts, r *Recording, res *Result) Expectation {
	e := Expectation{Name: x.Measure, Expected: x.String(), Verdict: Pass}
	number := m.number(r, res)
	e.Detail = fmt.Sprintf("expected %s; found %s", x, format(m.Unit, number))
	why := ""
	if m.untold != nil {
		why = m.untold(r, res)
	}
	switch limit := x.Op != ">" && x.Op != ">="; {
	case limit && !allows(x, number) && number > x.Number, facts.Healed && why == "" && !allows(x, number):
		e.Verdict = Violation
	case !facts.Healed:
		e.Verdict, e.Detail = Inconclusive, e.Detail+", and the run did not come to its end"
	case why != "":
		e.Verdict, e.Detail = Inconclusive, fmt.Sprintf("expected %s; it can't be told: %s", x, why)
	}
	return e
}

// found judges whether the planted bug was found: by a check that must find it,
// in a run in which it struck. What other checks find is something else, and so
// is what was found though the bug never fired. A run in which it was not found
// is no pass, and says why.
func found(res *Result) Expectation {
	b := res.Bug
	e := Expectation{Name: "bug", Expected: b.Kind, Verdict: Inconclusive}
	kind, _ := scenarios.BugKindOf(b.Kind)
	var by, other []string
	for _, check := range violated(nil, res) {
		if slices.Contains(kind.FoundBy, check) {
			by = append(by, check)
		} else {
			other = append(other, check)
		}
	}
	switch {
	case b.Counted && b.Strikes == 0:
		e.Detail = fmt.Sprintf("%s never fired: %s", b.Kind, b)
		other = append(by, other...)
	case len(by) > 0 && b.Counted:
		e.Verdict, e.Detail = Pass, fmt.Sprintf("%s was found by %s; %s", b.Kind, strings.Join(by, ", "), b)
	case len(by) > 0:
		e.Verdict, e.Detail = Pass, fmt.Sprintf("%s was found by %s; how often it struck was not recorded", b.Kind, strings.Join(by, ", "))
	case b.Counted:
		e.Detail = fmt.Sprintf("%s fired and was missed: %s", b.Kind, b)
	default:
		e.Detail = fmt.Sprintf("%s was not found; how often it struck was not recorded", b.Kind)
	}
	if e.Verdict != Pass && len(other) > 0 {
		e.Detail += fmt.Sprintf("; what %s found is something else", strings.Join(other, ", "))
	}
	return e
}

// allows reports whether a number is what a scenario expects.
func allows(x scenarios.Expectation, number float64) bool {
	switch x.Op {
	case "<":
		return number < x.Number
	case "<=":
		return number <= x.Number
	case ">":
		return number > x.Number
	case ">=":
		return number >= x.Number
	}
	return number == x.Number
}

// format writes a number as a scenario does.
func format(u scenarios.Unit, number float64) string {
	if u == scenarios.Time {
		return time.Duration(number).Round(time.Millisecond).String()
	}
	return strconv.FormatFloat(number, 'f', -1, 64)
}

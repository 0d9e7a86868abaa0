// SPDX-License-Identifier: Apache-2.0

package report

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/explain"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// event is a line of what happened, in order.
type event struct {
	At time.Duration
	// To is when it was over, for what took time.
	To time.Duration
	// Class is what it is, for the eye: phase, fault, leader, drummer, operation,
	// core (an operation that is part of the violation), violation.
	Class string
	Text  string
	// More is said in small print.
	More string
}

// maxOthers bounds the operations on the violation's key that are shown though
// they are no part of it.
const maxOthers = 40

// events tells what happened that the violation has to do with. others is how
// many operations on its key are left out.
func events(x Explained) (all []event, others int) {
	hosts := hostNames(x.Timeline)
	for _, e := range x.Timeline.Entries {
		if told, ok := x.eventOf(e); ok {
			told.Text = hosts.Replace(told.Text)
			all = append(all, told)
		}
	}
	for _, i := range x.Timeline.Began() {
		all = append(all, eventsOfFault(i)...)
	}
	core := map[uint64]bool{}
	for i := range x.Finding.Operations {
		core[x.Finding.Operations[i].ID] = true
	}
	var rest []event
	for _, op := range history.OfKey(x.Ops, x.Finding.Key) {
		if told := eventOfOperation(&op); core[op.ID] {
			told.Class = "core"
			all = append(all, told)
		} else {
			rest = append(rest, told)
		}
	}
	if len(rest) <= maxOthers {
		all = append(all, rest...)
	} else {
		others = len(rest)
	}
	slices.SortStableFunc(all, func(a, b event) int { return cmp.Compare(a.At, b.At) })
	return all, others
}

// joined finds the NodeHost ID and the address in Drummer's event of a new host.
var joined = regexp.MustCompile(`^host (\S+) joined at ([^\s,]+)`)

// hostNames replaces NodeHost IDs, by which Drummer knows hosts, by their names.
func hostNames(t *timeline.Timeline) *strings.Replacer {
	var found [][]string
	timeline.All(t, func(_ time.Duration, d timeline.Decided) {
		if m := joined.FindStringSubmatch(d.Text); m != nil && d.Event == pb.EventHostJoined {
			found = append(found, m)
		}
	})
	// An ID may be the beginning of another one.
	slices.SortStableFunc(found, func(a, b []string) int { return len(b[1]) - len(a[1]) })
	var pairs []string
	for _, m := range found {
		pairs = append(pairs, m[1], world.HostOf(m[2]))
	}
	return strings.NewReplacer(pairs...)
}

// phaseTexts say what a phase is.
var phaseTexts = map[timeline.Phase]string{
	timeline.Boot:   "All hosts start.",
	timeline.Launch: "Drummer launches the clusters.",
	timeline.WarmUp: "The clients begin.",
	timeline.Heal:   "All faults end.",
	timeline.Settle: "Drummer repairs what is left.",
	timeline.Probe:  "The clients stop; every cluster is asked what it holds.",
}

// eventOf tells a fact, if it is about the violation's cluster or about all of
// them. Faults are told with their ends, see eventsOfFault.
func (x Explained) eventOf(e timeline.Entry) (event, bool) {
	told := event{At: e.At, Text: upper(e.Fact.String()) + "."}
	concerns := func(cluster uint64) bool { return x.Finding.Cluster == 0 || cluster == x.Finding.Cluster }
	switch f := e.Fact.(type) {
	case timeline.PhaseBegan:
		told.Class, told.Text = "phase", phaseTexts[f.Phase]
		return told, told.Text != "" && (f.Phase != timeline.Heal || len(x.Scenario.Leaves()) > 0)
	case timeline.LeaderAnnounced:
		if f.Cluster == world.DrummerDB {
			told.Text = fmt.Sprintf("The Drummer server on %s leads in term %d.", f.Host, f.Term)
		}
		told.Class = "leader"
		return told, f.Leads() && (f.Cluster == world.DrummerDB || concerns(f.Cluster))
	case timeline.Decided:
		told.Class, told.Text = "drummer", fmt.Sprintf("Drummer: %s.", strings.TrimSuffix(cmp.Or(f.Text, f.Event), "."))
		return told, f.Cluster != 0 && concerns(f.Cluster) && f.Event != pb.EventOperationEnded
	case timeline.ClusterRepaired:
		told.Class = "drummer"
		return told, concerns(f.Cluster)
	case timeline.QuorumLost:
		told.Class, told.Text = "fault", fmt.Sprintf("No majority of the members of cluster %d runs.", f.Cluster)
		return told, concerns(f.Cluster)
	case timeline.QuorumRegained:
		told.Class, told.Text = "leader", fmt.Sprintf("A majority of the members of cluster %d runs again.", f.Cluster)
		return told, concerns(f.Cluster)
	case timeline.RaftBroken:
		told.Class, told.Text = "violation", fmt.Sprintf("Raft is broken: %s.", f)
		return told, concerns(f.Cluster)
	case timeline.DrummerErred:
		told.Class, told.Text = "violation", fmt.Sprintf("Drummer errs (%s): %s.", f.Check, f.Text)
		return told, f.Cluster == 0 || concerns(f.Cluster)
	case timeline.Diverged:
		told.Class = "violation"
		return told, concerns(f.Cluster)
	case timeline.Booted:
		told.Class, told.Text = "leader", fmt.Sprintf("%s starts again.", upper(f.Host))
		return told, true
	case timeline.BootFailed:
		told.Class, told.Text = "violation", fmt.Sprintf("%s does not start: %s", upper(f.Host), f.Error)
		return told, true
	case timeline.DiskRefused:
		told.Class, told.Text = "fault", fmt.Sprintf("%s finds that its disk is damaged and does not start; it gets an empty one. %s", upper(f.Host), f.Error)
		return told, true
	case timeline.OperatorActed, timeline.OperatorFailed:
		told.Class, told.Text = "drummer", fmt.Sprintf("The operator: %s.", f)
		return told, true
	case timeline.Violated:
		told.Class, told.Text = "violation", "From here on, no order explains the operations on the key."
		return told, concerns(f.Cluster)
	}
	return event{}, false
}

// eventsOfFault tells the begin and the end of a fault.
func eventsOfFault(i timeline.Injection) []event {
	name := fmt.Sprintf("%s of %s", i.Fault, strings.Join(i.Hosts, ", "))
	begin := event{At: i.From, Class: "fault", Text: fmt.Sprintf("%s begins.", upper(name)), More: i.Reason}
	if i.Forever {
		begin.Text = upper(name) + ", forever."
	}
	if !i.Ended {
		if i.Measured {
			begin.More = effects(i.Effect)
		}
		return []event{begin}
	}
	return []event{begin, {At: i.To, Class: "fault", Text: upper(name) + " ends.", More: effects(i.Effect)}}
}

// eventOfOperation tells an operation, by the time of its call.
func eventOfOperation(op *history.Op) event {
	told := event{At: time.Duration(op.Call), Class: "operation", Text: fmt.Sprintf("Client %d %s.", op.Client, explain.Action(op))}
	if op.Outcome != history.Unknown {
		told.To = time.Duration(op.Return)
	}
	var more []string
	if op.Host != "" {
		more = append(more, "asked "+world.HostOf(op.Host))
	}
	if by := explain.Replica(op); by != "" {
		more = append(more, "answered by "+by)
	}
	if op.Outcome == history.Unknown {
		more = append(more, "no answer: it may have taken effect, or not")
	}
	told.More = strings.Join(more, "; ")
	return told
}

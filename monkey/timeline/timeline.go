// SPDX-License-Identifier: Apache-2.0

package timeline

import (
	"errors"
	"io/fs"
	"slices"
	"time"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// Timeline is what happened in a run, with begins and ends paired. All times
// are since the run's start. Lists are in the order in which things began.
type Timeline struct {
	Entries    []Entry // everything, as recorded
	Phases     []PhaseSpan
	Injections []Injection
	Outages    []Outage
	// End is when the last thing happened that was recorded.
	End time.Duration
}

// Span is a time from the run's start to the run's start, ends included.
type Span struct{ From, To time.Duration }

// Meets reports whether two spans have an instant in common.
func (s Span) Meets(o Span) bool { return s.From <= o.To && o.From <= s.To }

// Length is how long the span is.
func (s Span) Length() time.Duration { return s.To - s.From }

// PhaseSpan is a phase of the run, up to the next one.
type PhaseSpan struct {
	Phase Phase
	Span
}

// Injection is a fault as it was planned, and carried out or skipped.
type Injection struct {
	ID      int
	Fault   string
	Entry   int      // the place in the scenario's list of faults, from 0; not of one that was skipped
	Target  string   // the selector in the scenario
	Hosts   []string // whom it struck
	Forever bool
	Drawn   string // its parameters where some were drawn, as in a file
	Planned time.Duration
	Exact   bool // the scenario gave the time; otherwise it was drawn
	// Skipped says that it never began, and Reason why not; From and To are
	// when it was given up. Otherwise Reason is what it had to wait for.
	Skipped bool
	Reason  string
	// Span is from its begin to its end. One that did not end lasts to the end
	// of the run.
	Span
	Ended bool
	// Effect is what it did. It is not Measured where a fault on links did not
	// end.
	Effect   world.Effect
	Measured bool
}

// TookEffect reports whether the injection is known to have done anything.
func (i Injection) TookEffect() bool { return i.Measured && i.Effect.Bit() }

// Late is how much later than planned it began.
func (i Injection) Late() time.Duration {
	if i.Skipped {
		return 0
	}
	return max(0, i.From-i.Planned)
}

// Outage is a time in which no majority of a cluster's voters ran.
type Outage struct {
	Cluster uint64
	Span
}

// Read reads the events of a run's directory. A run that has none yet has an
// empty Timeline.
func Read(dir string) (*Timeline, error) {
	entries, err := readEntries(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return Pair(entries), nil
}

// Pair makes a Timeline of entries, which are in the order of their times.
func Pair(entries []Entry) *Timeline {
	t := &Timeline{Entries: entries}
	if n := len(entries); n > 0 {
		t.End = entries[n-1].At
	}
	injections, outages := map[int]int{}, map[uint64]int{} // their places, by ID and by cluster
	for _, e := range entries {
		switch f := e.Fact.(type) {
		case PhaseBegan:
			if n := len(t.Phases); n > 0 {
				t.Phases[n-1].To = e.At
			}
			t.Phases = append(t.Phases, PhaseSpan{f.Phase, Span{e.At, t.End}})
		case InjectionBegan:
			injections[f.ID] = len(t.Injections)
			x := Injection{ID: f.ID, Fault: f.Fault, Entry: f.Entry, Target: f.Target, Hosts: f.Hosts, Forever: f.Forever, Drawn: f.Drawn,
				Planned: f.Planned, Exact: f.Exact, Reason: f.Waited, Span: Span{e.At, t.End}}
			x.measure(f.Effect)
			t.Injections = append(t.Injections, x)
		case InjectionEnded:
			if i, ok := injections[f.ID]; ok {
				t.Injections[i].To, t.Injections[i].Ended = e.At, true
				t.Injections[i].measure(f.Effect)
			}
		case InjectionSkipped:
			t.Injections = append(t.Injections, Injection{ID: f.ID, Fault: f.Fault, Target: f.Target, Forever: f.Forever,
				Planned: f.Planned, Exact: f.Exact, Skipped: true, Reason: f.Reason, Span: Span{e.At, e.At}})
		case QuorumLost:
			outages[f.Cluster] = len(t.Outages)
			t.Outages = append(t.Outages, Outage{f.Cluster, Span{e.At, t.End}})
		case QuorumRegained:
			if i, ok := outages[f.Cluster]; ok {
				t.Outages[i].To = e.At
			}
		}
	}
	return t
}

func (i *Injection) measure(e *world.Effect) {
	if e != nil {
		i.Effect, i.Measured = *e, true
	}
}

// Began lists the injections that were not skipped.
func (t *Timeline) Began() []Injection {
	return slices.DeleteFunc(slices.Clone(t.Injections), func(i Injection) bool { return i.Skipped })
}

// FaultsOn lists, by host, when a fault acted on it.
func (t *Timeline) FaultsOn() map[string][]Span {
	spans := map[string][]Span{}
	for _, i := range t.Began() {
		for _, h := range i.Hosts {
			spans[h] = append(spans[h], i.Span)
		}
	}
	return spans
}

// Phase returns when a phase was; false if the run did not come that far.
func (t *Timeline) Phase(p Phase) (Span, bool) {
	i := slices.IndexFunc(t.Phases, func(x PhaseSpan) bool { return x.Phase == p })
	if i < 0 {
		return Span{}, false
	}
	return t.Phases[i].Span, true
}

// All calls each with every fact of type F, in order.
func All[F Fact](t *Timeline, each func(at time.Duration, f F)) {
	for _, e := range t.Entries {
		if f, ok := e.Fact.(F); ok {
			each(e.At, f)
		}
	}
}

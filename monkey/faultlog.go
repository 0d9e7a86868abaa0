// SPDX-License-Identifier: Apache-2.0

package monkey

import (
	"time"

	"github.com/drumbeat-raft/drumbeat/monkey/rundir"
	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
)

// faultLog writes what the injector records as events of the run's directory.
type faultLog struct {
	events *rundir.Events
	start  time.Time
	begun  map[int]timeline.InjectionBegan // by ID
}

func newFaultLog(events *rundir.Events, start time.Time) *faultLog {
	return &faultLog{events: events, start: start, begun: map[int]timeline.InjectionBegan{}}
}

// Since implements fault.Log.
func (l *faultLog) Since(t time.Time) time.Duration { return t.Sub(l.start) }

// Add implements fault.Log.
func (l *faultLog) Add(fact timeline.Fact) {
	switch f := fact.(type) {
	case timeline.InjectionBegan:
		l.begun[f.ID] = f
		l.events.Add(injectionEvent(rundir.FaultBegin, f))
	case timeline.InjectionEnded:
		ev := injectionEvent(rundir.FaultEnd, l.begun[f.ID])
		ev.Effect, ev.Text = f.Effect, ""
		l.events.Add(ev)
	case timeline.InjectionSkipped:
		l.events.Add(rundir.Event{Kind: rundir.FaultSkipped, Fault: f.Fault, Target: f.Target, ID: f.ID, Text: f.Reason})
	case timeline.Booted:
		l.events.Add(rundir.Event{Kind: rundir.Boot, Hosts: []string{f.Host}})
	case timeline.BootFailed:
		l.events.Add(rundir.Event{Kind: rundir.BootFailed, Hosts: []string{f.Host}, Text: f.Error})
	}
}

func injectionEvent(kind rundir.EventKind, f timeline.InjectionBegan) rundir.Event {
	return rundir.Event{Kind: kind, Fault: f.Fault, Target: f.Target, ID: f.ID, Hosts: f.Hosts, Forever: f.Forever, Effect: f.Effect, Text: f.Waited}
}

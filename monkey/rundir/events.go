// SPDX-License-Identifier: Apache-2.0

package rundir

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// EventKind says what an event is about.
type EventKind string

// The kinds of events.
const (
	Phase      EventKind = "phase"       // Text names the phase that begins
	FaultBegin EventKind = "fault-begin" // Fault, ID, Hosts
	FaultEnd   EventKind = "fault-end"   // Fault, ID, Hosts, Effect of the whole fault
	// FaultSkipped: the planned fault ID found no target; Text says why.
	FaultSkipped EventKind = "fault-skipped"
	BootFailed   EventKind = "boot-failed" // Hosts, Text: it did not start on what its disk holds
	Boot         EventKind = "boot"        // Hosts
	Violated     EventKind = "violation"   // Cluster, Text: an operation that made a history illegal, when it ended
	Operator     EventKind = "operator"    // Op, Text: what the scenario asked of Drummer
	Leader       EventKind = "leader"      // Cluster, Node, Term, LeaderID
	Decision     EventKind = "drummer"     // a line of Drummer's own event log
	Repaired     EventKind = "repaired"    // Cluster had its full number again after Took
)

// Probe is the Text of the Phase in which clients have stopped and everything is
// asked what it holds.
const Probe = "probe"

// How a cluster was repaired: the Op of a Repaired event.
const (
	Restored = "restored" // the same members run again
	Replaced = "replaced" // with other members
	Moved    = "moved"    // with other members, though none had failed
)

// Event is a line of events.jsonl.
type Event struct {
	// At is the time since the run's start on its own clock, virtual or real,
	// the same that the history's calls and returns are on, in nanoseconds.
	At       time.Duration `json:"at_ns"`
	Kind     EventKind     `json:"kind"`
	Fault    string        `json:"fault,omitempty"`
	Target   string        `json:"target,omitempty"` // the selector in the scenario
	ID       int           `json:"id,omitempty"`     // joins a fault's begin and end
	Forever  bool          `json:"forever,omitempty"`
	Hosts    []string      `json:"hosts,omitempty"`
	Effect   *world.Effect `json:"effect,omitempty"`
	Cluster  uint64        `json:"cluster,omitempty"`
	Node     uint64        `json:"node,omitempty"`
	Term     uint64        `json:"term,omitempty"`
	LeaderID uint64        `json:"leader,omitempty"`
	Took     time.Duration `json:"took_ns,omitempty"`
	Op       string        `json:"op,omitempty"` // Drummer's kind of event
	Index    uint64        `json:"db_index,omitempty"`
	Request  string        `json:"request,omitempty"` // what Drummer asked for
	Text     string        `json:"text,omitempty"`
}

// Events appends to a run's events.jsonl. It is safe for concurrent use.
// Every line is written at once: a run that is killed leaves whole lines.
type Events struct {
	mu    sync.Mutex
	f     *os.File
	start time.Time
	err   error
}

// CreateEvents starts the event log of a run that began at start.
func CreateEvents(dir string, start time.Time) (*Events, error) {
	f, err := os.Create(filepath.Join(dir, EventsFile))
	if err != nil {
		return nil, fmt.Errorf("start the run's event log: %w", err)
	}
	return &Events{f: f, start: start}, nil
}

// Add stamps an event with the present time and writes it.
func (e *Events) Add(ev Event) { e.AddAt(time.Now(), ev) }

// AddAt writes an event that happened at t.
func (e *Events) AddAt(t time.Time, ev Event) {
	ev.At = t.Sub(e.start)
	b, err := json.Marshal(ev)
	e.mu.Lock()
	defer e.mu.Unlock()
	if err == nil {
		_, err = e.f.Write(append(b, '\n'))
	}
	if err != nil && e.err == nil {
		e.err = fmt.Errorf("write the run's event log: %w", err)
	}
}

// Close ends the log and returns the first error of its whole life.
func (e *Events) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.f.Close(); err != nil && e.err == nil {
		e.err = fmt.Errorf("close the run's event log: %w", err)
	}
	return e.err
}

// ReadEvents reads a run's events. The last line may be torn by a kill: it is
// left out then. Any other bad line is an error with its number.
func ReadEvents(dir string) ([]Event, error) {
	path := filepath.Join(dir, EventsFile)
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var evs []Event
	sc := bufio.NewScanner(bytes.NewReader(b))
	sc.Buffer(nil, 1<<20)
	for n := 1; sc.Scan(); n++ {
		var ev Event
		if err := json.Unmarshal(sc.Bytes(), &ev); err != nil {
			if !sc.Scan() {
				return evs, nil
			}
			return nil, fmt.Errorf("%s:%d: not an event of a run: %w", path, n, err)
		}
		evs = append(evs, ev)
	}
	if err := sc.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return evs, nil
}

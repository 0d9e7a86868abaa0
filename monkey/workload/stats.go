// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"sync"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// Counts counts operations by outcome.
type Counts struct {
	OK      int `json:"ok"`
	Fail    int `json:"fail"`
	Unknown int `json:"unknown"`
}

// Total is the number of operations.
func (c Counts) Total() int { return c.OK + c.Fail + c.Unknown }

// Stats is what the clients have done so far.
type Stats struct {
	// Counts has the operations that ended, those of Answers and ReadBack among
	// them.
	Counts
	// Asked counts the operations that the schedule had drawn for the time of
	// Run so far. Each of them was begun or missed.
	Asked int `json:"asked"`
	// Missed counts those of Asked that were never begun, because no client
	// was idle. They are not in the history.
	Missed int `json:"missed"`
}

// stats guards Stats while the clients work.
type stats struct {
	mu sync.Mutex
	Stats
}

// Stats returns what the clients have done so far. It may be called at any
// time.
func (w *Workload) Stats() Stats {
	w.stats.mu.Lock()
	defer w.stats.mu.Unlock()
	return w.stats.Stats
}

// ask counts an operation whose time has come, and whether it was missed.
func (s *stats) ask(missed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Asked++
	if missed {
		s.Missed++
	}
}

// end counts an operation that ended.
func (s *stats) end(outcome history.Outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch outcome {
	case history.OK:
		s.OK++
	case history.Fail:
		s.Fail++
	default:
		s.Unknown++
	}
}

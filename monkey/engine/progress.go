// SPDX-License-Identifier: Apache-2.0

package engine

import "time"

// Progress is how far a run is. The child sends it to its parent.
type Progress struct {
	Phase  string        `json:"phase"`
	At     time.Duration `json:"at_ns"`    // on the run's own clock
	Total  time.Duration `json:"total_ns"` // of the run, estimated
	Ops    int           `json:"ops"`      // operations that have ended
	Faults int           `json:"faults"`   // injected so far
}

// SPDX-License-Identifier: Apache-2.0

package counter

import (
	"encoding/json"
	"io"

	sm "github.com/lni/dragonboat/v3/statemachine"
)

type snapshot struct {
	Values map[string]uint64
	Limit  uint64
}

// SaveSnapshot implements sm.IStateMachine.
func (c *Counters) SaveSnapshot(w io.Writer, _ sm.ISnapshotFileCollection, _ <-chan struct{}) error {
	return json.NewEncoder(w).Encode(snapshot{c.values, c.limit})
}

// RecoverFromSnapshot implements sm.IStateMachine.
func (c *Counters) RecoverFromSnapshot(r io.Reader, _ []sm.SnapshotFile, _ <-chan struct{}) error {
	s := snapshot{Values: map[string]uint64{}}
	err := json.NewDecoder(r).Decode(&s)
	c.values, c.limit = s.Values, s.Limit
	return err
}

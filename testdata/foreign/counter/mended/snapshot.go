// SPDX-License-Identifier: Apache-2.0

package counter

import (
	"encoding/json"
	"io"

	sm "github.com/lni/dragonboat/v3/statemachine"
)

type snapshot struct {
	Values map[string]uint64
	Limits map[string]uint64
}

// SaveSnapshot implements sm.IStateMachine.
func (c *Counters) SaveSnapshot(w io.Writer, _ sm.ISnapshotFileCollection, _ <-chan struct{}) error {
	return json.NewEncoder(w).Encode(snapshot{c.values, c.limits})
}

// RecoverFromSnapshot implements sm.IStateMachine.
func (c *Counters) RecoverFromSnapshot(r io.Reader, _ []sm.SnapshotFile, _ <-chan struct{}) error {
	s := snapshot{map[string]uint64{}, map[string]uint64{}}
	err := json.NewDecoder(r).Decode(&s)
	c.values, c.limits = s.Values, s.Limits
	return err
}

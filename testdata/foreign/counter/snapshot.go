// SPDX-License-Identifier: Apache-2.0

package counter

import (
	"encoding/json"
	"io"

	sm "github.com/lni/dragonboat/v3/statemachine"
)

// SaveSnapshot implements sm.IStateMachine.
func (c *Counters) SaveSnapshot(w io.Writer, _ sm.ISnapshotFileCollection, _ <-chan struct{}) error {
	return json.NewEncoder(w).Encode(c.values)
}

// RecoverFromSnapshot implements sm.IStateMachine.
func (c *Counters) RecoverFromSnapshot(r io.Reader, _ []sm.SnapshotFile, _ <-chan struct{}) error {
	c.values = map[string]uint64{}
	return json.NewDecoder(r).Decode(&c.values)
}

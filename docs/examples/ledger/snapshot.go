// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"encoding/json"
	"io"

	sm "github.com/lni/dragonboat/v3/statemachine"
)

// SaveSnapshot implements sm.IStateMachine.
func (l *Ledger) SaveSnapshot(w io.Writer, _ sm.ISnapshotFileCollection, _ <-chan struct{}) error {
	return json.NewEncoder(w).Encode(l.accounts)
}

// RecoverFromSnapshot implements sm.IStateMachine.
func (l *Ledger) RecoverFromSnapshot(r io.Reader, _ []sm.SnapshotFile, _ <-chan struct{}) error {
	accounts := map[string]int64{}
	if err := json.NewDecoder(r).Decode(&accounts); err != nil {
		return err
	}
	l.accounts = accounts
	return nil
}

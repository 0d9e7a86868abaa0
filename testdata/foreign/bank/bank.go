// SPDX-License-Identifier: Apache-2.0

// Package bank is a module of somebody's: accounts with money that is moved between
// them.
package bank

import (
	"encoding/json"
	"io"
	"maps"
	"sync"

	sm "github.com/lni/dragonboat/v3/statemachine"
)

// Accounts are there from the beginning, each with Opening.
var Accounts = []string{"ada", "bob", "cyd"}

// Opening is what each account holds at first.
const Opening = 100

// Transfer is a command.
type Transfer struct {
	From, To string
	Amount   int64
}

// Bank is the state machine.
type Bank struct {
	mu       sync.RWMutex
	balances map[string]int64
}

// New makes the bank of a replica.
func New(_, _ uint64) sm.IConcurrentStateMachine {
	b := &Bank{balances: map[string]int64{}}
	for _, a := range Accounts {
		b.balances[a] = Opening
	}
	return b
}

// Update moves money. Value is 1 if it was moved.
func (b *Bank) Update(entries []sm.Entry) ([]sm.Entry, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, e := range entries {
		var t Transfer
		if json.Unmarshal(e.Cmd, &t) == nil && t.Amount > 0 && b.balances[t.From] >= t.Amount {
			b.move(t)
			entries[i].Result.Value = 1
		}
	}
	return entries, nil
}

// Lookup answers anything with all balances.
func (b *Bank) Lookup(any) (any, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return maps.Clone(b.balances), nil
}

// PrepareSnapshot implements sm.IConcurrentStateMachine.
func (b *Bank) PrepareSnapshot() (any, error) { return b.Lookup(nil) }

// SaveSnapshot implements sm.IConcurrentStateMachine.
func (b *Bank) SaveSnapshot(prepared any, w io.Writer, _ sm.ISnapshotFileCollection, _ <-chan struct{}) error {
	return json.NewEncoder(w).Encode(prepared)
}

// RecoverFromSnapshot implements sm.IConcurrentStateMachine.
func (b *Bank) RecoverFromSnapshot(r io.Reader, _ []sm.SnapshotFile, _ <-chan struct{}) error {
	balances := map[string]int64{}
	if err := json.NewDecoder(r).Decode(&balances); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.balances = balances
	return nil
}

// Close implements sm.IConcurrentStateMachine.
func (b *Bank) Close() error { return nil }

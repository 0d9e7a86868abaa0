// SPDX-License-Identifier: Apache-2.0

package statemachine

import (
	"fmt"
	"io"

	sm "github.com/lni/dragonboat/v3/statemachine"

	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/contract"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
)

// concurrent is the kind that may be read and saved while it is updated. It is
// rebuilt from snapshot and log at each start.
type concurrent struct {
	guarded
}

// Concurrent returns a factory of concurrent state machines.
func Concurrent(newCore NewCore) sm.CreateConcurrentStateMachineFunc {
	return func(clusterID, nodeID uint64) sm.IConcurrentStateMachine {
		return &concurrent{newCore.guard(contract.Concurrent, clusterID, nodeID)}
	}
}

// Update implements sm.IConcurrentStateMachine. It never fails.
func (c *concurrent) Update(entries []sm.Entry) ([]sm.Entry, error) {
	c.applyAll(entries)
	return entries, nil
}

func (g *guarded) applyAll(entries []sm.Entry) {
	if len(entries) > 0 {
		defer g.calls.Update(entries[0].Index, entries[len(entries)-1].Index)()
	}
	for i := range entries {
		entries[i].Result = g.apply(entries[i].Index, entries[i].Cmd)
	}
}

// PrepareSnapshot implements sm.IConcurrentStateMachine.
func (c *concurrent) PrepareSnapshot() (any, error) { return c.prepare(), nil }

func (g *guarded) prepare() *kv.Image {
	defer g.calls.Prepare()()
	return g.image()
}

// SaveSnapshot implements sm.IConcurrentStateMachine.
func (c *concurrent) SaveSnapshot(prepared any, w io.Writer, _ sm.ISnapshotFileCollection, stop <-chan struct{}) error {
	return c.savePrepared(prepared, w, stop)
}

func (g *guarded) savePrepared(prepared any, w io.Writer, stop <-chan struct{}) error {
	defer g.calls.Save()()
	image, ok := prepared.(*kv.Image)
	if !ok {
		return fmt.Errorf("found a prepared snapshot of type %T, expected what PrepareSnapshot returned", prepared)
	}
	return save(image, w, stop)
}

// RecoverFromSnapshot implements sm.IConcurrentStateMachine.
func (c *concurrent) RecoverFromSnapshot(in io.Reader, _ []sm.SnapshotFile, stop <-chan struct{}) error {
	defer c.calls.Recover()()
	image, err := load(in, stop)
	if err == nil {
		c.restore(image)
	}
	return err
}

// Close implements sm.IConcurrentStateMachine.
func (c *concurrent) Close() error {
	c.calls.Close()
	return nil
}

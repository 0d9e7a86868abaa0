// SPDX-License-Identifier: Apache-2.0

package statemachine

import (
	"io"

	sm "github.com/lni/dragonboat/v3/statemachine"

	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/contract"
)

// regular is the kind that Dragonboat locks itself, and rebuilds from
// snapshot and log at each start. It is not told indexes, and counts updates
// in their place.
type regular struct {
	guarded
}

// Regular returns a factory of regular state machines.
func Regular(newCore NewCore) sm.CreateStateMachineFunc {
	return func(clusterID, nodeID uint64) sm.IStateMachine {
		return &regular{newCore.guard(contract.Regular, clusterID, nodeID)}
	}
}

// Update implements sm.IStateMachine. It never fails: what is wrong with a
// command is in its result.
func (r *regular) Update(command []byte) (sm.Result, error) {
	defer r.calls.Update(0, 0)()
	return r.apply(r.digest().Applied+1, command), nil
}

// SaveSnapshot implements sm.IStateMachine.
func (r *regular) SaveSnapshot(w io.Writer, _ sm.ISnapshotFileCollection, stop <-chan struct{}) error {
	defer r.calls.Save()()
	return save(r.image(), w, stop)
}

// RecoverFromSnapshot implements sm.IStateMachine.
func (r *regular) RecoverFromSnapshot(in io.Reader, _ []sm.SnapshotFile, stop <-chan struct{}) error {
	defer r.calls.Recover()()
	image, err := load(in, stop)
	if err == nil {
		r.restore(image)
	}
	return err
}

// Close implements sm.IStateMachine.
func (r *regular) Close() error {
	r.calls.Close()
	return nil
}

// SPDX-License-Identifier: Apache-2.0

package smtest_test

import (
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"sync"

	sm "github.com/lni/dragonboat/v3/statemachine"
	"github.com/lni/goutils/vfs"

	"github.com/drumbeat-raft/drumbeat/monkey/smtest"
)

// register keeps the last command. It writes a file of its own for each Sync,
// and the name of it last.
type register struct {
	fs  vfs.FS
	dir string

	mu    sync.RWMutex
	state registerState
}

type registerState struct {
	Index uint64
	Value string
}

func newRegister(fs vfs.FS, dir string) sm.CreateOnDiskStateMachineFunc {
	return func(clusterID, nodeID uint64) sm.IOnDiskStateMachine { return &register{fs: fs, dir: dir} }
}

func (r *register) Open(<-chan struct{}) (uint64, error) {
	if err := r.fs.MkdirAll(r.dir, 0o755); err != nil {
		return 0, err
	}
	if err := r.syncFolder(r.fs.PathDir(r.dir)); err != nil {
		return 0, err
	}
	file, err := r.fs.Open(r.fs.PathJoin(r.dir, "state"))
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer file.Close()
	err = json.NewDecoder(file).Decode(&r.state)
	return r.state.Index, err
}

func (r *register) Update(entries []sm.Entry) ([]sm.Entry, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range entries {
		entries[i].Result = sm.Result{Data: []byte(r.state.Value)} // what it replaces
		r.state = registerState{entries[i].Index, string(entries[i].Cmd)}
	}
	return entries, nil
}

func (r *register) Lookup(any) (any, error) { return r.now().Value, nil }

func (r *register) now() registerState {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.state
}

func (r *register) Sync() error {
	name, unnamed := r.fs.PathJoin(r.dir, "state"), r.fs.PathJoin(r.dir, "new")
	file, err := r.fs.Create(unnamed)
	if err != nil {
		return err
	}
	err = errors.Join(json.NewEncoder(file).Encode(r.now()), file.Sync(), file.Close())
	if err != nil {
		return err
	}
	return errors.Join(r.fs.Rename(unnamed, name), r.syncFolder(r.dir))
}

func (r *register) syncFolder(name string) error {
	folder, err := r.fs.OpenDir(name)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

func (r *register) PrepareSnapshot() (any, error) { return r.now(), nil }

func (r *register) SaveSnapshot(prepared any, w io.Writer, _ <-chan struct{}) error {
	return json.NewEncoder(w).Encode(prepared)
}

func (r *register) RecoverFromSnapshot(in io.Reader, _ <-chan struct{}) error {
	var state registerState
	if err := json.NewDecoder(in).Decode(&state); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state = state
	return nil
}

func (r *register) Close() error { return nil }

func ExampleOnDisk() {
	smtest.Run(t, smtest.OnDisk(newRegister), smtest.Config{
		Command: func(r *rand.Rand) []byte { return []byte{'a' + byte(r.IntN(4))} },
		Query:   func(r *rand.Rand) any { return "value" },
		Runs:    20,
		Seed:    1,
	})
	// Output: smtest: 20 runs from seed 1, states compared by the bytes of snapshots: nothing found
}

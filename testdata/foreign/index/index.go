// SPDX-License-Identifier: Apache-2.0

// Package index is a module of somebody's: an ordered index on disk, which is read
// by iterating from a key. It is a log of entries; the index itself is in memory.
package index

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"

	sm "github.com/lni/dragonboat/v3/statemachine"
	"github.com/lni/goutils/vfs"
)

// Command sets a key, or with an empty value removes it. The result is 1 if the key
// was there, and 0 otherwise.
type Command struct{ Key, Value string }

// Range asks for the first Limit pairs from a key on, of the keys with a prefix.
type Range struct {
	Prefix string
	From   string
	Limit  int
}

// Pair is a key and its value.
type Pair struct{ Key, Value string }

// Index is the state machine.
type Index struct {
	fs   vfs.FS
	dir  string
	file vfs.File

	mu      sync.RWMutex
	applied uint64
	values  map[string]string
}

// New returns the factory of an index that keeps its file in dir.
func New(fs vfs.FS, dir string) sm.CreateOnDiskStateMachineFunc {
	return func(_, _ uint64) sm.IOnDiskStateMachine {
		return &Index{fs: fs, dir: dir, values: map[string]string{}}
	}
}

// record is what the file holds of an entry.
type record struct {
	Index   uint64
	Command Command
}

func (x *Index) path() string { return x.fs.PathJoin(x.dir, "log") }

// Open reads the file. What a crash left of a record is cut off.
func (x *Index) Open(<-chan struct{}) (uint64, error) {
	var records []record
	if file, err := x.fs.Open(x.path()); err == nil {
		records = read(file)
		if err := file.Close(); err != nil {
			return 0, err
		}
	} else if !errors.Is(err, os.ErrNotExist) {
		return 0, err
	}
	return x.applied, x.rewrite(records)
}

// read reads whole records.
func read(r io.Reader) []record {
	var all []record
	for {
		var size uint32
		if binary.Read(r, binary.BigEndian, &size) != nil || size > 1<<20 {
			return all
		}
		data := make([]byte, size)
		var one record
		if _, err := io.ReadFull(r, data); err != nil || json.Unmarshal(data, &one) != nil {
			return all
		}
		all = append(all, one)
	}
}

// rewrite makes the file anew, with these records, and the state with it.
func (x *Index) rewrite(records []record) error {
	fresh := x.path() + ".new"
	file, err := x.fs.Create(fresh)
	if err != nil {
		return err
	}
	for _, r := range records {
		x.apply(r)
		if err := write(file, r); err != nil {
			return err
		}
	}
	if err := file.Sync(); err != nil {
		return err
	}
	if x.file != nil {
		if err := x.file.Close(); err != nil {
			return err
		}
	}
	x.file = file
	if err := x.fs.Rename(fresh, x.path()); err != nil {
		return err
	}
	dir, err := x.fs.OpenDir(x.dir)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

func write(w io.Writer, r record) error {
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(data))), data...))
	return err
}

func (x *Index) apply(r record) {
	x.applied = r.Index
	if r.Command.Value == "" {
		delete(x.values, r.Command.Key)
		return
	}
	x.values[r.Command.Key] = r.Command.Value
}

// Update implements sm.IOnDiskStateMachine.
func (x *Index) Update(entries []sm.Entry) ([]sm.Entry, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for i, e := range entries {
		r := record{Index: e.Index}
		if err := json.Unmarshal(e.Cmd, &r.Command); err != nil {
			r.Command = Command{}
		}
		if err := write(x.file, r); err != nil {
			return nil, err
		}
		if _, there := x.values[r.Command.Key]; there {
			entries[i].Result.Value = 1
		}
		x.apply(r)
	}
	return entries, nil
}

// Lookup answers a Range with pairs, in order of their keys.
func (x *Index) Lookup(query any) (any, error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	q := query.(Range)
	pairs := []Pair{}
	for _, key := range slices.Sorted(maps.Keys(x.values)) {
		if strings.HasPrefix(key, q.Prefix) && key >= q.From && len(pairs) < q.Limit {
			pairs = append(pairs, Pair{key, x.values[key]})
		}
	}
	return pairs, nil
}

type snapshot struct {
	Applied uint64
	Values  map[string]string
}

// PrepareSnapshot implements sm.IOnDiskStateMachine.
func (x *Index) PrepareSnapshot() (any, error) {
	return snapshot{x.applied, maps.Clone(x.values)}, nil
}

// SaveSnapshot implements sm.IOnDiskStateMachine.
func (x *Index) SaveSnapshot(prepared any, w io.Writer, _ <-chan struct{}) error {
	return json.NewEncoder(w).Encode(prepared)
}

// RecoverFromSnapshot implements sm.IOnDiskStateMachine.
func (x *Index) RecoverFromSnapshot(r io.Reader, _ <-chan struct{}) error {
	var s snapshot
	if err := json.NewDecoder(r).Decode(&s); err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.values = map[string]string{}
	var records []record
	for _, key := range slices.Sorted(maps.Keys(s.Values)) {
		records = append(records, record{s.Applied, Command{key, s.Values[key]}})
	}
	return x.rewrite(append(records, record{Index: s.Applied}))
}

// Close implements sm.IOnDiskStateMachine.
func (x *Index) Close() error {
	if x.file == nil {
		return nil
	}
	return x.file.Close()
}

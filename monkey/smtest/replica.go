// SPDX-License-Identifier: Apache-2.0

package smtest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	sm "github.com/lni/dragonboat/v3/statemachine"
)

// replica is one replica of the state machine. Its methods end the trial when
// the state machine panics, or returns an error at which Dragonboat would end
// the process.
type replica struct {
	t    *trial
	name string
	id   replicaID
	m    machine
	disk disk // nil unless the state machine is an on-disk one
	at   int  // the place of the log that it has come to
	over bool // closed, or dead
	// background is set while calls come from other goroutines than the trial's.
	background bool
}

// inBackground is the same replica for calls from other goroutines. What they
// do is not noted under a lock, for that would put them in an order with the
// trial's calls, and the race detector would not see what needs one.
func (r *replica) inBackground() *replica {
	other := *r
	other.background = true
	return &other
}

// start makes a new replica, with an empty disk.
func (t *trial) start(name string) *replica {
	t.mu.Lock()
	r := &replica{t: t, name: name, id: replicaID{clusterID, uint64(len(t.replicas) + 1)}}
	t.replicas = append(t.replicas, r)
	t.mu.Unlock()
	if newDisk := t.kit.machine.newDisk; newDisk != nil {
		r.disk = newDisk(filepath.Join(t.dir, fmt.Sprintf("node-%d", r.id.node)), t.kit.config.TornFiles)
		r.mount()
		if index := r.open(); index != 0 {
			t.fail("Open returned %d with nothing on its disk.", index)
		}
		return r
	}
	r.create(mount{})
	return r
}

// mount makes a process on the replica's disk.
func (r *replica) mount() {
	m, err := r.disk.mount()
	if err != nil {
		r.t.kit.abort("cannot prepare a disk: %v", err)
	}
	r.create(m)
}

func (r *replica) create(m mount) {
	r.call("its factory", func() error {
		r.m = r.t.kit.machine.make(r.id, m)
		return nil
	})
	r.over = false
}

// call calls the state machine.
func (r *replica) call(method string, f func() error) error {
	if !r.background {
		r.t.enter(method)
		defer r.t.enter("")
	}
	defer func() {
		switch v := recover().(type) {
		case nil:
		case *failure:
			panic(v)
		default:
			r.t.fail("%s panicked (%s): %v\n%s", method, r.name, v, panicStack())
		}
	}()
	return f()
}

// must is call where Dragonboat would end the process for any error.
func (r *replica) must(method string, f func() error) {
	if err := r.call(method, f); err != nil {
		r.t.fail("%s returned an error (%s): %v\nDragonboat takes it for beyond repair and ends the process, on every replica.", method, r.name, err)
	}
}

// open opens an on-disk state machine and returns the index that it names.
func (r *replica) open() (index uint64) {
	r.must("Open", func() (err error) {
		index, err = r.onDisk().Open(make(chan struct{}))
		return err
	})
	return index
}

func (r *replica) onDisk() *onDiskMachine { return r.m.(*onDiskMachine) }

// apply applies the log up to a place, in one batch where the kind allows it.
func (r *replica) apply(to int) []result {
	entries := make([]sm.Entry, 0, to-r.at)
	for _, e := range r.t.log[r.at:to] {
		entries = append(entries, sm.Entry{Index: e.index, Cmd: bytes.Clone(e.cmd)})
	}
	results := r.update(entries)
	r.at = to
	return results
}

// update calls Update and takes its results.
func (r *replica) update(entries []sm.Entry) []result {
	var results []result
	for batch := range slices.Chunk(entries, r.batchLimit(len(entries))) {
		indexes := make([]uint64, len(batch))
		for i, e := range batch {
			indexes[i] = e.Index
		}
		var updated []sm.Entry
		r.must("Update", func() (err error) {
			updated, err = r.m.update(batch)
			return err
		})
		if len(updated) != len(indexes) {
			r.t.fail("Update was given %d entries and returned %d (%s). It has to return all of them, each with its Result.", len(indexes), len(updated), r.name)
		}
		for i, e := range updated {
			if e.Index != indexes[i] {
				r.t.fail("Update returned the entry of index %d in place of that of index %d (%s). It has to return the entries that it was given, in their order.", e.Index, indexes[i], r.name)
			}
			results = append(results, result{resultText(e.Result), e.Result})
		}
	}
	return results
}

// batchLimit is the largest batch that Dragonboat would make of n entries.
func (r *replica) batchLimit(n int) int {
	if r.t.kit.machine.kind == regular {
		return 1
	}
	return max(1, n)
}

// lookup asks a query. An error is an answer like any other: Dragonboat hands it
// to the client.
func (r *replica) lookup(query any) (value any, text string) {
	err := r.call("Lookup", func() (err error) {
		value, err = r.m.Lookup(copyQuery(query))
		return err
	})
	if err != nil {
		return nil, "error: " + err.Error()
	}
	return value, render(value)
}

// copyQuery lets nobody keep the bytes of a query.
func copyQuery(query any) any {
	if data, ok := query.([]byte); ok {
		return bytes.Clone(data)
	}
	return query
}

// state is what can be seen of the replica's state.
func (r *replica) state() state {
	s := state{digest: r.digest()}
	for _, query := range r.t.queries {
		_, text := r.lookup(query)
		s.answers = append(s.answers, answer{render(query), text})
	}
	return s
}

// digest stands for the whole state; empty where there is no way to have one.
func (r *replica) digest() string {
	switch r.t.kit.digests {
	case byConfig:
		var text string
		r.must("Config.Digest", func() error {
			text = r.t.kit.config.Digest(r.m.user())
			return nil
		})
		return "digest " + text
	case byHash:
		return fmt.Sprintf("GetHash %x", r.hash())
	case bySnapshot:
		return r.save().text()
	}
	return ""
}

func (r *replica) hash() (hash uint64) {
	r.must("GetHash", func() (err error) {
		hash, err = r.m.user().(sm.IHash).GetHash()
		return err
	})
	return hash
}

// save saves a snapshot of the state as it is.
func (r *replica) save() snapshot {
	prepared := r.prepare()
	return r.savePrepared(prepared)
}

// prepared is what PrepareSnapshot returned at a place of the log.
type prepared struct {
	value any
	at    int
}

func (r *replica) prepare() prepared {
	p := prepared{at: r.at}
	r.must("PrepareSnapshot", func() (err error) {
		p.value, err = r.m.prepare()
		return err
	})
	return p
}

func (r *replica) savePrepared(p prepared) snapshot {
	var data bytes.Buffer
	files, err := r.saveTo(p, &data, make(chan struct{}))
	if err != nil {
		r.t.fail("SaveSnapshot returned an error (%s): %v\nNothing was wrong with its writer, and nobody had asked it to stop.", r.name, err)
	}
	return snapshot{data: data.Bytes(), files: files, at: p.at}
}

// saveTo calls SaveSnapshot.
func (r *replica) saveTo(p prepared, w io.Writer, stop chan struct{}) ([]savedFile, error) {
	files := &fileCollection{t: r.t}
	err := r.call("SaveSnapshot", func() error { return r.m.save(p.value, w, files, stop) })
	if files.wrong != nil {
		r.t.fail("%v", files.wrong)
	}
	return files.saved, err
}

// restore recovers the replica from a snapshot, in reads of the given sizes.
func (r *replica) restore(s snapshot, reads readSizes) {
	r.must("RecoverFromSnapshot", func() error {
		return r.recoverFrom(s, reads.reader(s.data), make(chan struct{}))
	})
	r.at = s.at
	if r.disk != nil {
		r.sync() // as Dragonboat does
	}
}

func (r *replica) recoverFrom(s snapshot, in io.Reader, stop chan struct{}) error {
	return r.m.recover(in, s.snapshotFiles(), stop)
}

// sync calls Sync. What was applied before has to survive a power loss then.
func (r *replica) sync() {
	r.must("Sync", r.onDisk().Sync)
	if err := r.disk.synced(); err != nil {
		r.t.kit.abort("cannot copy a folder: %v", err)
	}
}

// close closes the replica.
func (r *replica) close() {
	r.over = true
	r.must("Close", r.m.Close)
}

// discard closes a replica in which nobody is interested any more, if it isn't
// closed.
func (r *replica) discard() {
	if r.over || r.m == nil {
		return
	}
	r.over = true
	defer func() { _ = recover() }() // it may be anywhere: what Close says tells nothing
	_ = r.m.Close()
}

// die ends the process of an on-disk replica.
func (r *replica) die(how death) {
	if err := r.disk.end(how); err != nil {
		r.t.kit.abort("cannot copy a folder: %v", err)
	}
	r.discard() // the dead have no files open
}

// errBroken is what the kit's failing readers and writers return.
var errBroken = errors.New("the file can't be read or written any more")

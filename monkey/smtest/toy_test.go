// SPDX-License-Identifier: Apache-2.0

package smtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	sm "github.com/lni/dragonboat/v3/statemachine"
	"github.com/lni/goutils/vfs"
)

// bug is what is wrong with a toy. The zero value is nothing.
type bug string

// toy is a small state machine, of any kind, with at most one bug: it adds
// numbers to keys, each command once. It is good without a bug.
type toy struct {
	bug  bug
	node uint64

	mu     sync.RWMutex
	closed bool
	index  uint64 // of the last entry, for the on-disk one
	toyState

	kept    [][]byte // commands, for keepsCommand
	buffer  []byte   // for reusesBuffer
	lookups int
	scratch atomic.Int64 // for sharesScratch
}

// toyState is what a toy's snapshots hold.
type toyState struct {
	Totals map[string]int
	Seen   map[string]bool
	Note   string
}

func newToyState() toyState { return toyState{Totals: map[string]int{}, Seen: map[string]bool{}} }

// toyConfig makes commands such as "3 a 2": the command of ID 3 adds 2 to a; adding 0
// removes the key.
func toyConfig() Config {
	return Config{
		Command: func(r *rand.Rand) []byte {
			return fmt.Appendf(nil, "%d %c %d", r.IntN(40), 'a'+rune(r.IntN(4)), r.IntN(5))
		},
		Query:  func(r *rand.Rand) any { return string('a' + rune(r.IntN(4))) },
		Digest: func(machine any) string { return machine.(interface{ digest() string }).digest() },
	}
}

func (t *toy) digest() string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return fmt.Sprint(t.Totals, t.Seen, t.Note)
}

// The bugs of all kinds.
const (
	mapOrder       bug = "answers in the order of a map"
	clock          bug = "puts the time into the state"
	year           bug = "answers by the year"
	random         bug = "draws a random number"
	knowsNode      bug = "looks at its node ID"
	address        bug = "puts an address into the state"
	sharesVariable bug = "shares a variable with other replicas"
	keepsCommand   bug = "keeps the command"
	changesCommand bug = "changes the command"
	reusesBuffer   bug = "uses one buffer for all results"
	handsOutState  bug = "hands out its own map"
	countsLookups  bug = "changes the state in Lookup"
	savesOnce      bug = "drops in SaveSnapshot what it has saved"
	forgetsField   bug = "leaves a field out of the snapshot"
	recoversInto   bug = "recovers into the state that is there"
	readsOnce      bug = "takes one Read for the whole snapshot"
	ignoresWrite   bug = "passes over an error of Write"
	wrapsStopped   bug = "wraps ErrSnapshotStopped"
	ignoresRead    bug = "passes over an error of Read"
	panicsStopped  bug = "panics when it is stopped"
	neverStops     bug = "doesn't look at the stop channel"
	hangs          bug = "never returns once it is stopped"
	leaksGoroutine bug = "leaves a goroutine behind"
	sharesScratch  bug = "works out answers in a variable that lookups share"
	failsUpdate    bug = "returns an error for a bad command"
)

// shared is what sharesVariable shares.
var shared struct {
	sync.Mutex
	count int
}

func (t *toy) apply(cmd []byte) (sm.Result, error) {
	fields := strings.Fields(string(cmd))
	id, key := fields[0], fields[1]
	var n int
	fmt.Sscan(fields[2], &n)
	if t.bug == failsUpdate && n == 4 {
		return sm.Result{}, errors.New("4 is not allowed")
	}
	if t.Seen[id] {
		return sm.Result{Value: 1, Data: []byte("duplicate")}, nil
	}
	t.Seen[id] = true
	if t.Totals[key] += n; n == 0 {
		delete(t.Totals, key)
	}
	data := fmt.Append(nil, t.Totals[key])
	switch t.bug {
	case mapOrder:
		data = nil
		for key := range t.Totals {
			data = append(data, key...)
		}
	case clock:
		t.Note = time.Now().String()
	case year:
		if n == 3 && time.Now().Year() > 2010 {
			t.Note = "modern"
		}
	case random:
		if n == 3 {
			t.Totals[key] += rand.IntN(2)
		}
	case knowsNode:
		if n == 3 {
			t.Note = fmt.Sprint(t.node)
		}
	case address:
		t.Note = fmt.Sprintf("%p", t)
	case sharesVariable:
		shared.Lock()
		defer shared.Unlock()
		shared.count++
		data = fmt.Append(nil, shared.count)
	case keepsCommand:
		t.kept = append(t.kept, cmd)
		t.Note = string(t.kept[0])
	case changesCommand:
		bytes.ToUpper(cmd)
		cmd[len(cmd)-1] = '9'
	case reusesBuffer:
		t.buffer = append(t.buffer[:0], data...)
		data = t.buffer
	}
	return sm.Result{Data: data}, nil
}

func (t *toy) Lookup(query any) (any, error) {
	if t.bug == countsLookups {
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.lookups++; t.lookups%7 == 0 {
			delete(t.Totals, query.(string))
		}
		return t.Totals[query.(string)], nil
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	if t.closed {
		if t.bug == panicsClosed {
			panic("closed")
		}
		return nil, errors.New("closed")
	}
	if t.bug == sharesScratch {
		t.scratch.Store(int64(t.Totals[query.(string)]))
		runtime.Gosched()
		return int(t.scratch.Load()), nil
	}
	if t.bug == handsOutState {
		return t.Totals, nil
	}
	return t.Totals[query.(string)], nil
}

// copied is the state as it is.
func (t *toy) copied() toyState {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return toyState{maps.Clone(t.Totals), maps.Clone(t.Seen), t.Note}
}

func (t *toy) saveState(state toyState, w io.Writer, stop <-chan struct{}) error {
	switch t.bug {
	case savesOnce:
		t.mu.Lock()
		clear(t.Seen)
		t.mu.Unlock()
	case forgetsField:
		state.Seen = map[string]bool{}
	case leaksGoroutine:
		go func() { <-make(chan int) }()
	}
	for key := range maps.Keys(state.Totals) { // one record a key, then the rest
		record := toyState{Totals: map[string]int{key: state.Totals[key]}}
		if err := t.write(record, w, stop); err != nil {
			return err
		}
	}
	return t.write(toyState{Seen: state.Seen, Note: state.Note}, w, stop)
}

func (t *toy) write(record toyState, w io.Writer, stop <-chan struct{}) error {
	select {
	case <-stop:
		switch t.bug {
		case wrapsStopped:
			return fmt.Errorf("cannot save: %w", sm.ErrSnapshotStopped)
		case panicsStopped:
			panic("stopped")
		case hangs:
			<-make(chan int)
		case neverStops:
		default:
			return sm.ErrSnapshotStopped
		}
	default:
	}
	err := json.NewEncoder(w).Encode(record)
	if t.bug == ignoresWrite {
		return nil
	}
	return err
}

func (t *toy) RecoverFromSnapshot(r io.Reader, _ []sm.SnapshotFile, stop <-chan struct{}) error {
	state, err := t.load(r, stop)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.bug == recoversInto {
		maps.Copy(t.Totals, state.Totals)
		maps.Copy(t.Seen, state.Seen)
		return nil
	}
	t.toyState = state
	return nil
}

func (t *toy) load(r io.Reader, stop <-chan struct{}) (toyState, error) {
	if t.bug == readsOnce {
		data := make([]byte, 1<<20)
		n, _ := r.Read(data)
		r = bytes.NewReader(data[:n])
	}
	state := newToyState()
	for in := json.NewDecoder(r); ; {
		select {
		case <-stop:
			return toyState{}, sm.ErrSnapshotStopped
		default:
		}
		var record toyState
		err := in.Decode(&record)
		if err == io.EOF || err != nil && t.bug == ignoresRead {
			return state, nil
		}
		if err != nil {
			return toyState{}, err
		}
		maps.Copy(state.Totals, record.Totals)
		maps.Copy(state.Seen, record.Seen)
		state.Note += record.Note
	}
}

func (t *toy) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	return nil
}

// regularToy is the toy as an IStateMachine.
type regularToy struct{ *toy }

func newRegularToy(b bug) Machine {
	return Regular(func(_, node uint64) sm.IStateMachine {
		return &regularToy{&toy{bug: b, node: node, toyState: newToyState()}}
	})
}

func (t regularToy) Update(cmd []byte) (sm.Result, error) { return t.apply(cmd) }

func (t regularToy) SaveSnapshot(w io.Writer, _ sm.ISnapshotFileCollection, stop <-chan struct{}) error {
	return t.saveState(t.copied(), w, stop)
}

// The bugs of concurrent toys.
const (
	batchOnOldState bug = "applies a batch to the state before it"
	answersLast     bug = "sets the Result of the last entry only"
	returnsFewer    bug = "returns the entries that changed something only"
	savesPresent    bug = "saves the present state, not the prepared one"
	looksBetween    bug = "shows a state that is half changed"
	panicsClosed    bug = "panics in Lookup after Close"
)

// concurrentToy is the toy as an IConcurrentStateMachine.
type concurrentToy struct{ *toy }

func newConcurrentToy(b bug) Machine {
	return Concurrent(func(_, node uint64) sm.IConcurrentStateMachine {
		return &concurrentToy{&toy{bug: b, node: node, toyState: newToyState()}}
	})
}

func (t concurrentToy) Update(entries []sm.Entry) ([]sm.Entry, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	before := maps.Clone(t.Seen)
	changed := entries[:0:0]
	for i := range entries {
		if t.bug == batchOnOldState {
			t.Seen = maps.Clone(before)
		}
		if t.bug == looksBetween {
			t.Totals["a"] += 100
			t.mu.Unlock()
			runtime.Gosched()
			t.mu.Lock()
			t.Totals["a"] -= 100
		}
		result, err := t.apply(entries[i].Cmd)
		if err != nil {
			return nil, err
		}
		if t.bug != answersLast || i == len(entries)-1 {
			entries[i].Result = result
		}
		if result.Value == 0 {
			changed = append(changed, entries[i])
		}
	}
	if t.bug == returnsFewer {
		return changed, nil
	}
	return entries, nil
}

func (t concurrentToy) PrepareSnapshot() (any, error) { return t.copied(), nil }

func (t concurrentToy) SaveSnapshot(prepared any, w io.Writer, _ sm.ISnapshotFileCollection, stop <-chan struct{}) error {
	if t.bug == savesPresent {
		return t.saveState(t.copied(), w, stop)
	}
	return t.saveState(prepared.(toyState), w, stop)
}

// The bugs of on-disk toys.
const (
	syncsNothing    bug = "doesn't sync its file"
	forgetsFolder   bug = "doesn't sync the folder"
	overwrites      bug = "writes its file in place"
	countsUpdates   bug = "counts updates in place of indexes"
	twoFiles        bug = "has its index in a file of its own"
	snapshotNoIndex bug = "leaves the index out of the snapshot"
	savesInClose    bug = "leaves to Close what Sync has to do"
	savesInAnyOrder bug = "saves in the order of a map"
	leavesFileOpen  bug = "leaves a file open"
	indexFirst      bug = "names the index of a snapshot before it is there"
	wrapsOpen       bug = "wraps ErrOpenStopped"
	replaysTwice    bug = "names the index before the last one"
)

// onDiskToy is the toy as an IOnDiskStateMachine: all of its state is in one
// file, which Sync writes anew.
type onDiskToy struct {
	*toy
	fs  vfs.FS
	dir string
}

func newOnDiskToy(b bug) Machine {
	return OnDisk(func(fs vfs.FS, dir string) sm.CreateOnDiskStateMachineFunc {
		return func(_, node uint64) sm.IOnDiskStateMachine {
			return &onDiskToy{&toy{bug: b, node: node, toyState: newToyState()}, fs, dir}
		}
	})
}

// toyFile is what an on-disk toy keeps, and sends.
type toyFile struct {
	Index uint64
	State toyState
}

func (t *onDiskToy) Open(stop <-chan struct{}) (uint64, error) {
	select {
	case <-stop:
		if t.bug == wrapsOpen {
			return 0, fmt.Errorf("cannot open: %w", sm.ErrOpenStopped)
		}
		return 0, sm.ErrOpenStopped
	default:
	}
	if err := t.fs.MkdirAll(t.dir, 0o755); err != nil {
		return 0, err
	}
	if err := t.syncDir(t.fs.PathDir(t.dir)); err != nil {
		return 0, err
	}
	var file toyFile
	if err := t.read("state", &file); err != nil {
		return 0, err
	}
	if file.State.Totals != nil {
		t.index, t.toyState = file.Index, file.State
	}
	if t.bug == twoFiles {
		if err := t.read("index", &t.index); err != nil {
			return 0, err
		}
	}
	if t.bug == replaysTwice && t.index > 0 {
		return t.index - 1, nil
	}
	return t.index, nil
}

func (t *onDiskToy) read(name string, into any) error {
	file, err := t.fs.Open(t.fs.PathJoin(t.dir, name))
	if err != nil {
		return nil // there is none yet
	}
	if t.bug != leavesFileOpen {
		defer file.Close()
	}
	return json.NewDecoder(file).Decode(into)
}

func (t *onDiskToy) Update(entries []sm.Entry) ([]sm.Entry, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range entries {
		var err error
		if entries[i].Result, err = t.apply(entries[i].Cmd); err != nil {
			return nil, err
		}
		t.index = entries[i].Index
		if t.bug == countsUpdates {
			t.index = uint64(len(t.Seen))
		}
	}
	return entries, nil
}

func (t *onDiskToy) Sync() error {
	if t.bug == savesInClose {
		return nil
	}
	if t.bug == twoFiles {
		if err := t.replace("index", t.index); err != nil {
			return err
		}
	}
	return t.replace("state", toyFile{t.index, t.toyState})
}

// replace writes a file, under another name at first.
func (t *onDiskToy) replace(name string, content any) error {
	path, unnamed := t.fs.PathJoin(t.dir, name), t.fs.PathJoin(t.dir, "new-"+name)
	if t.bug == overwrites {
		unnamed = path
	}
	file, err := t.fs.Create(unnamed)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := json.NewEncoder(file).Encode(content); err != nil {
		return err
	}
	if t.bug != syncsNothing {
		if err := file.Sync(); err != nil {
			return err
		}
	}
	if t.bug != overwrites {
		if err := t.fs.Rename(unnamed, path); err != nil {
			return err
		}
	}
	if t.bug == forgetsFolder {
		return nil
	}
	return t.syncDir(t.dir)
}

func (t *onDiskToy) syncDir(name string) error {
	dir, err := t.fs.OpenDir(name)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

func (t *onDiskToy) PrepareSnapshot() (any, error) { return toyFile{t.index, t.copied()}, nil }

func (t *onDiskToy) SaveSnapshot(prepared any, w io.Writer, stop <-chan struct{}) error {
	file := prepared.(toyFile)
	if t.bug == savesInAnyOrder {
		for key := range file.State.Totals {
			if err := t.write(toyState{Note: key}, w, stop); err != nil {
				return err
			}
			break
		}
	}
	for _, record := range slices.Sorted(maps.Keys(file.State.Totals)) {
		if err := t.write(toyState{Totals: map[string]int{record: file.State.Totals[record]}}, w, stop); err != nil {
			return err
		}
	}
	note := fmt.Sprint(file.Index) // the toy needs no other
	return t.write(toyState{Seen: file.State.Seen, Note: note}, w, stop)
}

func (t *onDiskToy) RecoverFromSnapshot(r io.Reader, stop <-chan struct{}) error {
	if t.bug == indexFirst {
		data, err := io.ReadAll(r)
		if last := bytes.LastIndex(data, []byte(`"Note":"`)); last > 0 {
			var index uint64
			fmt.Sscan(strings.Trim(string(data[last+8:]), "\"}\n"), &index)
			if err := t.replace("state", toyFile{index, t.copied()}); err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
		r = bytes.NewReader(data)
	}
	state, err := t.load(r, stop)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	var index uint64
	fmt.Sscan(strings.TrimLeft(state.Note, "abcd"), &index)
	state.Note = ""
	t.toyState = state
	if t.bug != snapshotNoIndex {
		t.index = index
	}
	return nil
}

func (t *onDiskToy) Close() error {
	if t.bug == savesInClose {
		if err := t.replace("state", toyFile{t.index, t.toyState}); err != nil {
			return err
		}
	}
	return t.toy.Close()
}

// SPDX-License-Identifier: Apache-2.0

package diskcheck

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"math"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/lni/dragonboat/v3/config"
	"github.com/lni/goutils/vfs"

	"github.com/drumbeat-raft/drumbeat/drummer/internal/durable"
)

const (
	// marksFile is in the NodeHost's directory, so it is lost together with the
	// Raft logs and never outlives them.
	marksFile = "drummer-watermarks"
	// syncInterval is how long a watermark that was raised may be lost when the
	// power is. A crash of the process alone loses none.
	syncInterval = time.Second
	// slotSize divides the size of a sector, so that no slot is torn.
	slotSize = 64
	// maxSlots bounds what is read at a start; Dragonboat holds far fewer replicas.
	maxSlots = 1 << 20
)

var (
	marksHeader = [slotSize]byte{'d', 'r', 'u', 'm', 'm', 'e', 'r', ' ', 'w', 'a', 't', 'e', 'r', 'm', 'a', 'r', 'k', 's', ' ', '1', '\n'}
	castagnoli  = crc32.MakeTable(crc32.Castagnoli)
)

// replica names a Raft node of a cluster.
type replica struct{ cluster, node uint64 }

// mark is what a replica's log has on disk.
type mark struct {
	term, vote, commit uint64
	last               uint64 // index of the last entry, or of the snapshot in its place
}

// givenUp is the watermark of a replica that Lose has given up. No log has it.
var givenUp = mark{last: math.MaxUint64}

// below returns what a log at m lacks of a watermark, "" when nothing.
func (m mark) below(watermark mark) string {
	switch {
	case watermark == givenUp:
		return "it was given up, because the disk is an old copy of itself"
	case m.term < watermark.term:
		return fmt.Sprintf("it was in term %d, its log knows of term %d only", watermark.term, m.term)
	case m.term == watermark.term && watermark.vote != 0 && m.vote != watermark.vote:
		return fmt.Sprintf("it voted for node %d in term %d, its log says node %d", watermark.vote, watermark.term, m.vote)
	case m.last < watermark.last:
		return fmt.Sprintf("it acknowledged entries up to %d, its log ends at %d", watermark.last, m.last)
	case m.commit < watermark.commit:
		return fmt.Sprintf("it had committed entries up to %d, its log says %d", watermark.commit, m.commit)
	}
	return ""
}

// marks is the file of watermarks: a header, and a slot a replica. A slot is
// overwritten in place and not synced, unless a watermark is lowered; a goroutine
// syncs the file every syncInterval in which there was a change. So what is on
// disk is never above what the log has, and below it for syncInterval at most.
type marks struct {
	file vfs.File
	wake chan struct{} // capacity 1: there is something to sync
	quit chan struct{}
	done sync.WaitGroup

	mu     sync.Mutex
	values map[replica]mark
	slots  map[replica]int64 // above 0: the header has slot 0
	free   []int64
	used   int64 // slots that the file has, the header's included
	failed error // of a sync in the background
}

// readMarks returns what the file has, nil when there is no file.
func readMarks(fs config.IFS, dir string) (map[replica]mark, error) {
	path := fs.PathJoin(dir, marksFile)
	file, err := fs.Open(path)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s can't be opened: %w", path, err)
	}
	defer func() { _ = file.Close() }()
	data, err := io.ReadAll(io.LimitReader(file, maxSlots*slotSize))
	if err != nil {
		return nil, damaged(path, int64(len(data)), "it can't be read: %v", err)
	}
	if len(data) < slotSize || [slotSize]byte(data[:slotSize]) != marksHeader {
		return nil, damaged(path, 0, "it does not begin like a file of watermarks")
	}
	values := map[replica]mark{}
	// Less than a slot is left of one that was being added when the power was lost.
	for at := slotSize; at+slotSize <= len(data); at += slotSize {
		slot := [slotSize]byte(data[at : at+slotSize])
		if slot == ([slotSize]byte{}) {
			continue
		}
		r, m, ok := decodeSlot(slot)
		if !ok {
			return nil, damaged(path, int64(at), "the checksum of a watermark does not match")
		}
		values[r] = m
	}
	return values, nil
}

// A slot has six numbers and, at its end, their checksum.
func encodeSlot(r replica, m mark) (slot [slotSize]byte) {
	for i, n := range []uint64{r.cluster, r.node, m.term, m.vote, m.commit, m.last} {
		binary.LittleEndian.PutUint64(slot[8*i:], n)
	}
	binary.LittleEndian.PutUint32(slot[slotSize-4:], crc32.Checksum(slot[:slotSize-4], castagnoli))
	return slot
}

func decodeSlot(slot [slotSize]byte) (r replica, m mark, ok bool) {
	at := func(i int) uint64 { return binary.LittleEndian.Uint64(slot[8*i:]) }
	sum := binary.LittleEndian.Uint32(slot[slotSize-4:])
	return replica{at(0), at(1)}, mark{at(2), at(3), at(4), at(5)}, sum == crc32.Checksum(slot[:slotSize-4], castagnoli)
}

// openMarks writes a new file with these watermarks, durably, and keeps it open.
func openMarks(fs config.IFS, dir string, values map[replica]mark) (*marks, error) {
	m := &marks{wake: make(chan struct{}, 1), quit: make(chan struct{}), values: values, slots: map[replica]int64{}, used: 1}
	data := append([]byte(nil), marksHeader[:]...)
	for _, r := range slices.SortedFunc(maps.Keys(values), compareReplicas) {
		slot := encodeSlot(r, values[r])
		data = append(data, slot[:]...)
		m.slots[r] = m.used
		m.used++
	}
	path := fs.PathJoin(dir, marksFile)
	file, err := fs.Create(path + ".new")
	if err != nil {
		return nil, fmt.Errorf("%s.new can't be created: %w", path, err)
	}
	m.file = file
	if _, err = file.Write(data); err == nil {
		err = file.Sync()
	}
	if err == nil {
		err = fs.Rename(path+".new", path)
	}
	if err == nil {
		err = durable.SyncDir(fs, dir)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s can't be written: %w", path, err), file.Close())
	}
	m.done.Go(m.syncLoop)
	return m, nil
}

func (m *marks) syncLoop() {
	for {
		select {
		case <-m.wake:
		case <-m.quit:
			return
		}
		pause := time.NewTimer(syncInterval)
		select {
		case <-pause.C:
		case <-m.quit: // close syncs
			pause.Stop()
			return
		}
		if err := m.file.Sync(); err != nil {
			m.mu.Lock()
			m.failed = fmt.Errorf("the watermarks can't be synced: %w", err)
			m.mu.Unlock()
		}
	}
}

func (m *marks) get(r replica) (mark, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	value, ok := m.values[r]
	return value, ok
}

// set changes the watermark of a replica whose log has it on disk.
func (m *marks) set(r replica, value mark) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if old, ok := m.values[r]; ok && old == value {
		return m.failed
	}
	if m.slots[r] == 0 {
		m.slots[r] = m.newSlot()
	}
	slot := encodeSlot(r, value)
	if _, err := m.file.WriteAt(slot[:], m.slots[r]*slotSize); err != nil {
		return fmt.Errorf("the watermark of node %d of cluster %d can't be written: %w", r.node, r.cluster, err)
	}
	m.values[r] = value
	select {
	case m.wake <- struct{}{}:
	default:
	}
	return m.failed
}

// newSlot returns a slot that no replica has. m.mu is held.
func (m *marks) newSlot() int64 {
	if n := len(m.free); n > 0 {
		slot := m.free[n-1]
		m.free = m.free[:n-1]
		return slot
	}
	m.used++
	return m.used - 1
}

// lower is set for a log that is about to have less: durable before it returns.
func (m *marks) lower(r replica, value mark) error {
	if err := m.set(r, value); err != nil {
		return err
	}
	return m.file.Sync()
}

// drop removes, durably, the watermark of a replica whose data is to be removed.
func (m *marks) drop(r replica) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	slot := m.slots[r]
	if slot == 0 {
		return m.failed
	}
	if _, err := m.file.WriteAt(make([]byte, slotSize), slot*slotSize); err != nil {
		return fmt.Errorf("the watermark of node %d of cluster %d can't be removed: %w", r.node, r.cluster, err)
	}
	delete(m.slots, r)
	delete(m.values, r)
	m.free = append(m.free, slot)
	return m.file.Sync()
}

// close syncs what was set.
func (m *marks) close() error {
	close(m.quit)
	m.done.Wait()
	return errors.Join(m.file.Sync(), m.file.Close())
}

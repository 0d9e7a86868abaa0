// SPDX-License-Identifier: Apache-2.0

package memlog

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/lni/dragonboat/v3/raftio"
	pb "github.com/lni/dragonboat/v3/raftpb"
)

// kind is what a change changes of a replica's log. The numbers are in journals.
type kind byte

const (
	bootstrapped  kind = iota + 1 // bootstrap
	voted                         // state: term, vote and commit
	snapshotted                   // snapshot: there is such a one
	unsnapshotted                 // index: the snapshot there is gone
	restored                      // index: the log has no entries, and would go on behind it
	appended                      // entries, in place of those from the first's index on
	trimmed                       // index: entries below it are gone
	removed                       // all of it is gone
)

// change is one change of one replica's log. Which of the fields it has is up to
// its kind.
type change struct {
	kind      kind
	of        raftio.NodeInfo
	index     uint64
	bootstrap pb.Bootstrap
	state     pb.State
	snapshot  pb.Snapshot
	entries   []pb.Entry
}

// message is one of raftpb's.
type message interface {
	Size() int
	MarshalTo([]byte) (int, error)
}

// encode appends a change to b.
func (c *change) encode(b []byte) ([]byte, error) {
	b = append(b, byte(c.kind))
	b = binary.AppendUvarint(b, c.of.ClusterID)
	b = binary.AppendUvarint(b, c.of.NodeID)
	switch c.kind {
	case bootstrapped:
		return encodeMessage(b, &c.bootstrap)
	case voted:
		return encodeMessage(b, &c.state)
	case snapshotted:
		return encodeMessage(b, &c.snapshot)
	case appended:
		b = binary.AppendUvarint(b, uint64(len(c.entries)))
		for i := range c.entries {
			var err error
			if b, err = encodeMessage(b, &c.entries[i]); err != nil {
				return nil, err
			}
		}
	case unsnapshotted, restored, trimmed:
		b = binary.AppendUvarint(b, c.index)
	}
	return b, nil
}

func encodeMessage(b []byte, m message) ([]byte, error) {
	size := m.Size()
	b = binary.AppendUvarint(b, uint64(size))
	at := len(b)
	b = append(b, make([]byte, size)...)
	if n, err := m.MarshalTo(b[at:]); err != nil || n != size {
		return nil, fmt.Errorf("encode %T: %d of %d bytes: %w", m, n, size, err)
	}
	return b, nil
}

var errNoChange = errors.New("the bytes are no change of a log")

// decoder takes a record apart. After an error it returns zeros.
type decoder struct {
	rest []byte
	err  error
}

func (d *decoder) number() uint64 {
	n, size := binary.Uvarint(d.rest)
	if size <= 0 {
		d.rest, d.err = nil, errNoChange
		return 0
	}
	d.rest = d.rest[size:]
	return n
}

func (d *decoder) message(m interface{ Unmarshal([]byte) error }) {
	size := d.number()
	if d.err == nil && size > uint64(len(d.rest)) {
		d.rest, d.err = nil, errNoChange
	}
	if d.err != nil {
		return
	}
	d.err = m.Unmarshal(d.rest[:size])
	d.rest = d.rest[size:]
}

// change takes the next change off.
func (d *decoder) change() change {
	var c change
	if len(d.rest) == 0 {
		d.err = errNoChange
		return c
	}
	c.kind, d.rest = kind(d.rest[0]), d.rest[1:]
	c.of = raftio.NodeInfo{ClusterID: d.number(), NodeID: d.number()}
	switch c.kind {
	case bootstrapped:
		d.message(&c.bootstrap)
	case voted:
		d.message(&c.state)
	case snapshotted:
		d.message(&c.snapshot)
	case appended:
		for n := d.number(); n > 0 && d.err == nil; n-- {
			var e pb.Entry
			d.message(&e)
			c.entries = append(c.entries, e)
		}
	case unsnapshotted, restored, trimmed:
		c.index = d.number()
	case removed:
	default:
		d.err = errNoChange
	}
	return c
}

// decode takes a whole record apart.
func decode(record []byte) ([]change, error) {
	var changes []change
	d := decoder{rest: record}
	for len(d.rest) > 0 {
		c := d.change()
		if d.err != nil {
			return nil, d.err
		}
		changes = append(changes, c)
	}
	return changes, d.err
}

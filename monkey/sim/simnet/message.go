// SPDX-License-Identifier: Apache-2.0

package simnet

import (
	"bytes"
	"slices"
	"syscall"
	"time"

	pb "github.com/lni/dragonboat/v3/raftpb"

	"github.com/drumbeat-raft/drumbeat/monkey/exact"
)

// delivery is a batch of Raft messages under way. The batch is a copy.
type delivery struct {
	from    *process
	departs time.Duration
	to      *transport
	batch   pb.MessageBatch
	resets  uint64 // of the link, when the connection was made
}

// handOver gives the batch to the receiver, which enter has held.
func (d delivery) handOver() {
	defer d.to.leave()
	d.to.receive(nil, func() { d.to.take(d.batch) })
}

// send lets chance and delay have their way with a batch. The network is
// locked; the link is not cut and the receiver is alive.
func (c *messageConn) send(batch pb.MessageBatch) error {
	l := c.link
	copied, err := c.net.copyBatch(batch)
	if err != nil {
		return err
	}
	if l.chance(l.q.Corrupt) {
		intact, err := c.net.corrupt(copied, l.rng)
		if err != nil {
			return err
		}
		if !intact {
			l.counts.Corrupted += int64(len(copied.Requests))
			l.counts.Resets++
			return syscall.ECONNRESET
		}
	}
	kept := copied.Requests[:0]
	var late, again []pb.Message
	for _, m := range copied.Requests {
		if l.chance(l.q.Drop) {
			l.counts.Lost++
			continue
		}
		if m.Type != pb.Propose && l.chance(l.q.Duplicate) {
			l.counts.Duplicated++
			again = append(again, m)
		}
		if l.chance(l.q.Reorder) {
			l.counts.Reordered++
			late = append(late, m)
			continue
		}
		kept = append(kept, m)
	}
	if len(again) > 0 { // what comes twice may not share memory
		if again, err = c.net.copyMessages(copied, again); err != nil {
			return err
		}
	}
	copied.Requests = kept
	c.enqueue(copied, 0, true)
	copied.Requests = again
	c.enqueue(copied, 0, true)
	if copied.Requests = late; len(late) > 0 {
		c.enqueue(copied, time.Duration(l.rng.Int64N(int64(l.lateness()))), false)
	}
	return nil
}

// enqueue puts messages on their way, which are extra late. Those that are in
// order do not overtake the ones before them on their connection.
func (c *messageConn) enqueue(b pb.MessageBatch, extra time.Duration, inOrder bool) {
	if len(b.Requests) == 0 {
		return
	}
	latency, added := c.link.latency()
	if added+extra > 0 {
		c.link.counts.Delayed += int64(len(b.Requests))
	}
	departs := c.from.proc.departure(c.net, c.link.pair.to)
	if c.link.q.Hold {
		c.link.hold(heldBatch{c, delivery{c.from.proc, departs, c.to, b, c.resets}})
		return
	}
	wait := time.Duration(0)
	if c.link.q.Bandwidth > 0 {
		if wait = c.link.queue(departs, b.Size()); wait > queueLimit {
			c.link.counts.Lost += int64(len(b.Requests))
			return
		}
		c.link.counts.Delayed += int64(len(b.Requests))
	}
	due := c.net.arrivalOf(departs+wait, latency+extra)
	if inOrder {
		due = max(due, c.lastDue)
		c.lastDue = due
	}
	c.underWay++
	c.net.expect(arrival{due: due, conn: c, batch: delivery{c.from.proc, departs, c.to, b, c.resets}})
}

// lateness bounds how much later than in order a reordered message comes: long
// enough for others to overtake it also on a link without delay.
func (l *link) lateness() time.Duration {
	return max(10*time.Millisecond, 2*(l.base.Median()+l.q.Delay+l.q.Jitter))
}

// copyBatch copies a batch: Dragonboat goes on using the memory of what it sends.
func (n *Network) copyBatch(b pb.MessageBatch) (pb.MessageBatch, error) {
	if !exact.InBubble() && !slices.ContainsFunc(b.Requests, func(m pb.Message) bool { return !pb.IsEmptySnapshot(m.Snapshot) }) {
		return cloneBatch(b), nil
	}
	return n.copyBytes(b)
}

// cloneBatch is what copyBytes makes of a batch without snapshots: what is empty
// becomes nil.
func cloneBatch(b pb.MessageBatch) pb.MessageBatch {
	b.Requests = append([]pb.Message(nil), b.Requests...)
	for i := range b.Requests {
		m := &b.Requests[i]
		m.Entries = append([]pb.Entry(nil), m.Entries...)
		for j := range m.Entries {
			m.Entries[j].Cmd = append([]byte(nil), m.Entries[j].Cmd...)
		}
	}
	return b
}

// copyBytes copies a batch by way of its bytes, which it notes.
func (n *Network) copyBytes(b pb.MessageBatch) (pb.MessageBatch, error) {
	var c pb.MessageBatch
	buf := n.buffers.Get().(*[]byte)
	defer n.buffers.Put(buf)
	if size := b.SizeUpperLimit(); len(*buf) < size {
		*buf = make([]byte, max(size, 4<<10))
	}
	size, err := b.MarshalTo(*buf)
	if err != nil {
		return c, err
	}
	exact.Note((*buf)[:size])
	err = c.Unmarshal((*buf)[:size])
	return c, err
}

func (n *Network) copyMessages(b pb.MessageBatch, msgs []pb.Message) ([]pb.Message, error) {
	b.Requests = msgs
	c, err := n.copyBatch(b)
	return c.Requests, err
}

// copyChunk copies a chunk: Dragonboat fills the same buffer with the next one.
func copyChunk(c pb.Chunk) (pb.Chunk, error) {
	data := c.Data
	c.Data = nil
	head, err := c.Marshal()
	if err != nil {
		return c, err
	}
	var copied pb.Chunk
	if err := copied.Unmarshal(head); err != nil {
		return c, err
	}
	copied.Data = bytes.Clone(data)
	return copied, nil
}

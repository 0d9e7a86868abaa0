// SPDX-License-Identifier: Apache-2.0

package simnet

import "time"

const (
	// maxHeld is how many batches a link holds; older ones are lost.
	maxHeld = 4096
	// releaseWithin is the time within which they arrive when it lets them go.
	releaseWithin = 50 * time.Millisecond
)

// heldBatch is a batch that waits until its link lets it go.
type heldBatch struct {
	conn  *messageConn
	batch delivery
}

// hold keeps a batch back.
func (l *link) hold(h heldBatch) {
	l.counts.Held += int64(len(h.batch.batch.Requests))
	if len(l.held) == maxHeld {
		l.counts.Lost += int64(len(l.held[0].batch.batch.Requests))
		l.held = l.held[1:]
	}
	l.held = append(l.held, h)
}

// letGo sends what was held, in any order.
func (l *link) letGo() {
	for _, h := range l.held {
		h.conn.underWay++
		late := time.Duration(l.rng.Int64N(int64(releaseWithin)))
		l.net.expect(arrival{due: l.net.arrivalOf(max(h.batch.departs, l.net.now()), late), conn: h.conn, batch: h.batch})
	}
	l.held = nil
}

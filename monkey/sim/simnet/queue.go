// SPDX-License-Identifier: Apache-2.0

package simnet

import "time"

// queueLimit is for how long Raft messages wait at most to be sent with a limited
// bandwidth; more than that a router drops. Streams are bounded by their windows.
const queueLimit = 2 * time.Second

// queue puts so many bytes that leave at an instant behind those that were sent
// before, and returns how much later the last of them leaves.
func (l *link) queue(departs time.Duration, size int) time.Duration {
	if l.q.Bandwidth == 0 {
		return 0
	}
	start := max(departs, l.idleAt)
	if start-departs > queueLimit {
		return start - departs
	}
	l.idleAt = start + time.Duration(float64(size)/float64(l.q.Bandwidth)*float64(time.Second))
	return l.idleAt - departs
}

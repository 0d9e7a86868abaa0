// SPDX-License-Identifier: Apache-2.0

package simnet

import "time"

// Busy returns a function that makes the present incarnation of a host busy for
// a time from its call on. What the process sends meanwhile leaves the host when
// it is busy no more, and never if the process dies before. Times in which it is
// busy overlap, as work that is done side by side.
//
// So can a host's disk and state machines take time although nobody on the host
// waits for them: what others see of the host is as late as if somebody did. To
// let a goroutine wait is not possible. Dragonboat and Pebble sync while they
// hold a sync.Mutex, and while anybody waits for one of those, time in a
// testing/synctest bubble stands still.
func (n *Network) Busy(host string) func(time.Duration) {
	p := n.process(host)
	return func(d time.Duration) {
		if d <= 0 {
			return
		}
		n.mu.Lock()
		defer n.mu.Unlock()
		p.busyUntil = max(p.busyUntil, n.now()+d)
	}
}

// departure is when something leaves that the process sends now to a host.
func (p *process) departure(n *Network, to string) time.Duration {
	now := n.now()
	if p.host.name == to {
		return now
	}
	return max(now, p.busyUntil)
}

// sent reports whether something with the given departure left the host: not if
// the process died before.
func (p *process) sent(departure time.Duration) bool {
	return !p.isDead() || departure <= p.diedAt
}

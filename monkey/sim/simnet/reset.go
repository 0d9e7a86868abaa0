// SPDX-License-Identifier: Apache-2.0

package simnet

import "syscall"

// ResetConnections resets all connections between two hosts, as a firewall does
// that forgets them: both ends of streams fail, what is under way is lost, and what
// is sent next on a connection for Raft messages or a snapshot is answered with a
// reset. New ones can be made at once.
func (n *Network) ResetConnections(a, b string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, l := range []*link{n.link(a, b), n.link(b, a)} {
		l.resets++
		for _, p := range l.pipesInOrder() {
			p.from.reset(syscall.ECONNRESET)
			p.to.reset(syscall.ECONNRESET)
		}
	}
	n.wake()
}

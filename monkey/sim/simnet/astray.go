// SPDX-License-Identifier: Apache-2.0

package simnet

import (
	"fmt"
	"slices"
)

// mostAstray is how many messages that went astray are described.
const mostAstray = 16

// Astray describes messages that arrived and must not have: over a link that was cut,
// or from a process that was dead when they were to leave it. Nodes can't tell that
// such a message is none of the world they are to live in, and it harms them no more
// than a late one does; so nothing but this sees that a fault does not do what it says.
func (n *Network) Astray() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.astray)
}

// audit looks once more at messages that arrive, whoever let them pass. The network is
// locked.
func (n *Network) audit(l *link, d delivery) {
	if len(n.astray) == mostAstray {
		return
	}
	died := d.from.ended && d.departs > d.from.diedAt
	if l.q.Cut || died {
		why := "the link was cut"
		if died {
			why = fmt.Sprintf("their sender died %s before they left", d.departs-d.from.diedAt)
		}
		n.astray = append(n.astray, fmt.Sprintf("%d messages reached %s from %s, and %s", len(d.batch.Requests), l.pair.to, l.pair.from, why))
	}
}

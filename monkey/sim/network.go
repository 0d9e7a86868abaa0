// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"github.com/drumbeat-raft/drumbeat/monkey/sim/simnet"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// SetLink implements world.Network.
func (w *World) SetLink(from, to string, l world.Link) error {
	return w.net.SetLink(from, to, simnet.Link{
		Cut: l.Cut, Drop: l.Drop, Duplicate: l.Duplicate, Delay: l.Delay, Jitter: l.Jitter,
	})
}

// Traffic implements world.Network. What was sent to a dead process is no
// effect of a link.
func (w *World) Traffic(hosts ...string) world.Effect {
	c := w.net.Total(hosts...)
	return world.Effect{
		MessagesDropped:    c.CutOff + c.Lost,
		MessagesDelayed:    c.Delayed,
		MessagesDuplicated: c.Duplicated,
		BytesHeld:          c.BytesHeld,
		ConnectionsReset:   c.Resets,
	}
}

// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"slices"

	"github.com/drumbeat-raft/drumbeat/monkey/latency"
	"github.com/drumbeat-raft/drumbeat/monkey/sim/simnet"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// latency is that of the link between two hosts.
func (w *World) latency(from, to string) latency.Distribution {
	region := func(name string) string {
		if h := w.byName[name]; h != nil {
			return h.Region
		}
		return "" // the clients
	}
	return latency.Of(w.cfg.Deployment.Network.LatencyBetween(region(from), region(to)))
}

// SetLink implements world.Network.
func (w *World) SetLink(from, to string, l world.Link) error {
	return w.net.SetLink(from, to, simnet.Link{
		Cut: l.Cut, Drop: l.Drop, Duplicate: l.Duplicate, Delay: l.Delay, Jitter: l.Jitter,
		Reorder: l.Reorder, Corrupt: l.Corrupt, Bandwidth: l.Bandwidth, Hold: l.Hold,
	})
}

// ResetConnections implements world.Network.
func (w *World) ResetConnections(a, b string) error {
	w.net.ResetConnections(a, b)
	return nil
}

// Traffic implements world.Network. What was sent to a dead process is no
// effect of a link.
func (w *World) Traffic(hosts ...string) world.Effect {
	c := w.net.Total(hosts...)
	refused, held := int64(0), int64(0)
	for _, h := range w.hosts {
		if len(hosts) == 0 || slices.Contains(hosts, h.Name) {
			refused += h.changesRefused.Load()
			held += h.ticksHeld.Load()
		}
	}
	return world.Effect{
		ChangesRefused:     refused,
		TicksHeld:          held,
		SyncsSlowed:        w.syncsSlowed(hosts),
		MessagesDropped:    c.CutOff + c.Lost,
		MessagesDelayed:    c.Delayed,
		MessagesDuplicated: c.Duplicated,
		MessagesReordered:  c.Reordered,
		MessagesCorrupted:  c.Corrupted,
		MessagesHeld:       c.Held,
		BytesHeld:          c.BytesHeld,
		ConnectionsReset:   c.Resets,
	}
}

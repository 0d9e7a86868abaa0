// SPDX-License-Identifier: Apache-2.0

package simnet

// Counts is what became of the traffic on a link, or on several. A snapshot's
// chunk counts as a message.
type Counts struct {
	Delivered  int64 // messages handed to their receiver
	CutOff     int64 // messages dropped because the link was cut
	Lost       int64 // messages dropped by chance
	Dead       int64 // messages to a process that had ended, and those that one had not sent yet
	Delayed    int64 // messages that were under way for longer than the link makes them
	Duplicated int64 // messages that were sent a second time by chance
	Reordered  int64 // messages that were put behind later ones by chance
	Corrupted  int64 // messages, chunks and writes to streams that did not match their checksum
	Held       int64 // messages that were held until a link let them go

	BytesDelivered int64 // of streams, read by their receiver
	BytesHeld      int64 // of streams and snapshots, kept back by a cut or a silent host
	Resets         int64 // connections reset, counted where the reset was felt
}

func (c *Counts) add(o Counts) {
	c.Delivered += o.Delivered
	c.CutOff += o.CutOff
	c.Lost += o.Lost
	c.Dead += o.Dead
	c.Delayed += o.Delayed
	c.Duplicated += o.Duplicated
	c.Reordered += o.Reordered
	c.Corrupted += o.Corrupted
	c.Held += o.Held
	c.BytesDelivered += o.BytesDelivered
	c.BytesHeld += o.BytesHeld
	c.Resets += o.Resets
}

// Counts counts what became of the traffic from one host to another so far.
func (n *Network) Counts(from, to string) Counts {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.link(from, to).counts
}

// Total adds up the links from and to the given hosts, each link once; without
// hosts, all links.
func (n *Network) Total(hosts ...string) Counts {
	n.mu.Lock()
	defer n.mu.Unlock()
	named := map[string]bool{}
	for _, h := range hosts {
		named[h] = true
	}
	var sum Counts
	for p, l := range n.links {
		if len(hosts) == 0 || named[p.from] || named[p.to] {
			sum.add(l.counts)
		}
	}
	return sum
}

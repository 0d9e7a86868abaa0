// SPDX-License-Identifier: Apache-2.0

package simnet

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	pb "github.com/lni/dragonboat/v3/raftpb"
)

// Picture is what a network holds at an instant.
type Picture struct {
	Hosts []HostPicture
	Links []LinkPicture // with which something is wrong, or on which something is under way
}

// HostPicture is a host of a network, and whom packets from it reach.
type HostPicture struct {
	Name    string
	Alive   bool // its process is
	Silent  bool // it is without power
	Reaches []string
	// Cut are the others: where nothing passes, one way or both.
	Cut []string
}

// LinkPicture is one direction between two hosts.
type LinkPicture struct {
	From, To string
	Link     Link
	Queued   []Queued // Raft messages under way, by time
	// Held are the bytes of streams that are kept back until a cut ends, Flying
	// those under way or not read yet.
	Held, Flying int
}

// Queued is a batch of Raft messages under way.
type Queued struct {
	In       time.Duration // until it arrives
	Messages []string      // such as "Replicate of cluster 3, 1 → 2, term 4, 2 entries"
}

// Look returns what the network holds at an instant of its own scale of time.
// It takes no lock, for a network on which no goroutine is at work: call it while
// everybody waits. elapsed is the time since New.
func (n *Network) Look(elapsed time.Duration) Picture {
	var p Picture
	names := slices.Sorted(maps.Keys(n.hosts))
	for _, name := range names {
		h := n.hosts[name]
		hp := HostPicture{Name: name, Alive: !h.proc.ended, Silent: h.silent}
		for _, other := range names {
			switch {
			case other == name:
			case h.silent || n.hosts[other].silent || n.cutAt(name, other) || n.cutAt(other, name):
				hp.Cut = append(hp.Cut, other)
			default:
				hp.Reaches = append(hp.Reaches, other)
			}
		}
		p.Hosts = append(p.Hosts, hp)
	}
	queued := n.queued(elapsed)
	for _, l := range n.inOrder() {
		lp := l.look()
		lp.Queued = queued[l.pair]
		if lp.Link != (Link{}) || len(lp.Queued) > 0 || lp.Held+lp.Flying > 0 {
			p.Links = append(p.Links, lp)
		}
	}
	return p
}

// cutAt reports whether nothing passes from one host to another. Unlike link it
// makes none.
func (n *Network) cutAt(from, to string) bool {
	l := n.links[pair{from, to}]
	return l != nil && l.q.Cut
}

// queued are the Raft messages under way, by their links, in the order in which
// they arrive.
func (n *Network) queued(elapsed time.Duration) map[pair][]Queued {
	all := slices.Clone(n.agenda.arrivals)
	slices.SortFunc(all, func(a, b arrival) int { return cmp.Or(cmp.Compare(a.due, b.due), cmp.Compare(a.seq, b.seq)) })
	by := map[pair][]Queued{}
	for _, a := range all {
		if a.conn == nil {
			continue
		}
		q := Queued{In: a.due - elapsed}
		for _, m := range a.batch.batch.Requests {
			q.Messages = append(q.Messages, describe(m))
		}
		by[a.conn.link.pair] = append(by[a.conn.link.pair], q)
	}
	return by
}

func (l *link) look() LinkPicture {
	lp := LinkPicture{From: l.pair.from, To: l.pair.to, Link: l.q}
	for _, p := range l.pipesInOrder() {
		for _, s := range p.segs {
			if s.due == heldBack {
				lp.Held += len(s.data)
			} else {
				lp.Flying += len(s.data)
			}
		}
	}
	return lp
}

// describe says what a Raft message is.
func describe(m pb.Message) string {
	text := fmt.Sprintf("%s of cluster %d, node %d to %d, term %d", m.Type, m.ClusterId, m.From, m.To, m.Term)
	if m.LogIndex > 0 {
		text += fmt.Sprintf(", index %d", m.LogIndex)
	}
	if m.Commit > 0 {
		text += fmt.Sprintf(", commit %d", m.Commit)
	}
	if len(m.Entries) > 0 {
		text += fmt.Sprintf(", %d entries", len(m.Entries))
	}
	if m.Reject {
		text += ", rejects"
	}
	return text
}

// String names what the link does to packets.
func (q Link) String() string {
	var parts []string
	if q.Cut {
		parts = append(parts, "cut")
	}
	for name, p := range map[string]float64{"drop": q.Drop, "duplicate": q.Duplicate, "reorder": q.Reorder} {
		if p > 0 {
			parts = append(parts, fmt.Sprintf("%s %g %%", name, 100*p))
		}
	}
	if q.Delay > 0 || q.Jitter > 0 {
		parts = append(parts, fmt.Sprintf("delay %s to %s", q.Delay, q.Delay+q.Jitter))
	}
	slices.Sort(parts)
	if len(parts) == 0 {
		return "nothing wrong"
	}
	return strings.Join(parts, ", ")
}

// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"cmp"
	"maps"
	"slices"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// links lets faults that overlap share the network: a link has the sum of
// what all present faults lay on it, and the end of one leaves the others.
type links struct {
	net world.Network
	on  map[pair][]layer // every entry has at least one layer
}

type pair struct{ from, to string }

func (p pair) compare(o pair) int {
	return cmp.Or(cmp.Compare(p.from, o.from), cmp.Compare(p.to, o.to))
}

type layer struct {
	fault int // the ID of the injection that laid it
	q     world.Link
}

func newLinks(net world.Network) *links {
	return &links{net: net, on: map[pair][]layer{}}
}

func (l *links) add(fault int, from, to string, q world.Link) error {
	p := pair{from, to}
	l.on[p] = append(l.on[p], layer{fault, q})
	return l.net.SetLink(from, to, sum(l.on[p]))
}

// remove takes away what a fault laid on any link.
func (l *links) remove(fault int) error {
	for _, p := range slices.SortedFunc(maps.Keys(l.on), pair.compare) {
		layers := l.on[p]
		rest := slices.DeleteFunc(layers, func(y layer) bool { return y.fault == fault })
		if len(rest) == len(layers) {
			continue
		}
		l.on[p] = rest
		if len(rest) == 0 {
			delete(l.on, p)
		}
		if err := l.net.SetLink(p.from, p.to, sum(rest)); err != nil {
			return err
		}
	}
	return nil
}

// sum joins layers: cut or held if any is, the
// least bandwidth, losses independent of each other, delays
// one after the other.
func sum(layers []layer) world.Link {
	var s world.Link
	keepAll, onceAll, inOrder, intact := 1.0, 1.0, 1.0, 1.0
	for _, y := range layers {
		s.Cut = s.Cut || y.q.Cut
		keepAll *= 1 - y.q.Drop
		onceAll *= 1 - y.q.Duplicate
		inOrder *= 1 - y.q.Reorder
		intact *= 1 - y.q.Corrupt
		s.Hold = s.Hold || y.q.Hold
		if b := y.q.Bandwidth; b > 0 && (s.Bandwidth == 0 || b < s.Bandwidth) {
			s.Bandwidth = b
		}
		s.Delay += y.q.Delay
		s.Jitter += y.q.Jitter
	}
	s.Drop, s.Duplicate, s.Reorder, s.Corrupt = 1-keepAll, 1-onceAll, 1-inOrder, 1-intact
	return s
}

// SPDX-License-Identifier: Apache-2.0

// Package placement says where members of clusters should live, and why not
// elsewhere: regions, labels, failure domains, and load. It counts what each host
// carries and leads, with what was decided so far. How much may be done at a time
// it asks of Limits.
package placement

import (
	"cmp"
	"slices"

	"github.com/drumbeat-raft/drumbeat/drummer/schedule/internal/fleet"
)

// Limits say which hosts may be given a member now.
type Limits interface {
	// Free hosts may carry out another operation.
	Free(*fleet.Host) bool
	// Joinable hosts may have another observer that catches up.
	Joinable(*fleet.Host) bool
	// Quarantined hosts keep dying, and are the last resort.
	Quarantined(*fleet.Host) bool
	// Settled hosts have been up for long enough to move members there by choice.
	Settled(*fleet.Host) bool
}

// Map is the hosts with what they carry, in one decision.
type Map struct {
	fleet  *fleet.Fleet
	limits Limits
	seed   uint64
	hosts  []hostLoad // by fleet.Host.Index
	// byLoad are the hosts that are open, the lightest first, and of equals in the
	// order of fleet.Hosts; nil until somebody looks for the best one.
	byLoad []*fleet.Host

	domains   map[string][]string // of Inviting
	shortages map[shortage]string // of Shortage
}

type hostLoad struct {
	nodes   int  // placed on it
	leaders int  // clusters that a node on it leads
	over    bool // it carries, or leads, much more than another host
}

// New counts what was placed before this decision.
func New(f *fleet.Fleet, limits Limits, seed uint64) *Map {
	m := &Map{fleet: f, limits: limits, seed: seed, hosts: make([]hostLoad, len(f.Hosts)),
		domains: map[string][]string{}, shortages: map[shortage]string{}}
	for i, h := range f.Hosts {
		m.hosts[i].nodes = h.Placed
	}
	return m
}

func (m *Map) of(h *fleet.Host) *hostLoad { return &m.hosts[h.Index] }

// CountNode counts a node that is to be placed on a host, CountMove one that is to
// leave a host for another one.
func (m *Map) CountNode(h *fleet.Host) { m.count(h, 1) }

// CountMove is described at CountNode.
func (m *Map) CountMove(from, to *fleet.Host) {
	m.count(from, -1)
	m.count(to, 1)
}

// count changes how many nodes a host carries, and its place in byLoad.
func (m *Map) count(h *fleet.Host, nodes int) {
	at, listed := slices.BinarySearchFunc(m.byLoad, h, m.compareLoads)
	m.of(h).nodes += nodes
	if !listed {
		return
	}
	rest := slices.Delete(m.byLoad, at, at+1)
	at, _ = slices.BinarySearchFunc(rest, h, m.compareLoads)
	m.byLoad = slices.Insert(rest, at, h)
}

// compareLoads orders hosts by their load and, where that is equal, as they come.
func (m *Map) compareLoads(a, b *fleet.Host) int {
	return cmp.Or(cmp.Compare(m.load(a), m.load(b)), cmp.Compare(a.Index, b.Index))
}

// openByLoad lists the hosts that are open, the lightest first.
func (m *Map) openByLoad() []*fleet.Host {
	if m.byLoad == nil {
		for _, h := range m.fleet.Hosts {
			if h.Open() {
				m.byLoad = append(m.byLoad, h)
			}
		}
		slices.SortFunc(m.byLoad, m.compareLoads)
	}
	return m.byLoad
}

// CountLeader counts a cluster that a node on the host leads, CountLeaders so many for
// each host, by fleet.Host.Index.
func (m *Map) CountLeader(h *fleet.Host) { m.of(h).leaders++ }

// CountLeaders is described at CountLeader.
func (m *Map) CountLeaders(clusters []int) {
	for i := range m.hosts {
		m.hosts[i].leaders += clusters[i]
	}
}

// CountLeadership counts the leadership that one host hands over to another.
func (m *Map) CountLeadership(from, to *fleet.Host) {
	m.of(from).leaders--
	m.of(to).leaders++
}

// loadScale is the weight for which load counts nodes: that of a hundred hosts of
// the default weight, so that weights can be told apart in whole numbers.
const loadScale = 10_000

// load is how full a host is: nodes for a weight of loadScale.
func (m *Map) load(h *fleet.Host) int { return m.of(h).nodes * loadScale / h.Weight() }

// ranks breaks ties between equally good hosts of a cluster, at random but for
// the seed, so that clusters which start together do not pile up; and another
// way after each failure, so that the same host is not tried again and again.
type ranks uint64

func (m *Map) ranks(c *fleet.Cluster) ranks {
	h := uint64(fnvOffset)
	for _, x := range [...]struct{ value, bytes uint64 }{{m.seed, 8}, {c.ID, 8}, {uint64(c.JoinFailures), 4}} {
		for i := range x.bytes {
			h = (h ^ x.value>>(8*i)&0xff) * fnvPrime
		}
	}
	return ranks(h)
}

func (r ranks) of(host *fleet.Host) uint64 {
	h, id := uint64(r), host.ID()
	for i := range len(id) {
		h = (h ^ uint64(id[i])) * fnvPrime
	}
	return Mix(h) // FNV's high bits change little with the last bytes
}

// FNV-1a of 64 bits, as package hash/fnv has it, without an allocation.
const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

// Mix spreads every bit of a number over all of it: the finisher of splitmix64
// (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
func Mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// SPDX-License-Identifier: Apache-2.0

// Package fleet is DrummerDB's state as one decision sees it: which hosts are up,
// and how each member of a cluster is. It has facts alone; what to do about them,
// where and how fast is said elsewhere.
package fleet

import (
	"iter"
	"slices"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	"github.com/drumbeat-raft/drumbeat/drummer/db/ordmap"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule/internal/policy"
)

// Fleet is the hosts at one index of DrummerDB.
type Fleet struct {
	State  *db.State
	Policy policy.Policy
	// Hosts are those that are not gone, by NodeHost ID.
	Hosts []*Host
	// Restless are those of Hosts of which something may change as time passes: they
	// are silent, or have been up for less than BalanceCalm, or died not long ago.
	Restless []*Host
	places   *places
}

// places are the indexes of hosts in Fleet.Hosts, by NodeHost ID. Fleets that have the
// same hosts share them.
type places struct {
	byID map[string]int
	// regions has each region's name once: every host brings a copy of its own, which
	// costs a look into its memory wherever two are compared.
	regions map[string]string
}

// Host is one NodeHost that is not gone, as it is in a fleet. It is another one as soon
// as anything about it is.
type Host struct {
	*db.Host
	// Index is that in Fleet.Hosts, for what others count of each host.
	Index int
	Up    bool
	// Fresh hosts were heard of so lately that what they reported can be built on.
	Fresh bool

	open   bool
	weight int
	region string
	// domain is the value of the label spreadOver, the last one asked for.
	spreadOver, domain string
}

// New looks at the hosts of a state.
func New(state *db.State, policy policy.Policy) *Fleet {
	n := state.Hosts.Len()
	f := &Fleet{State: state, Policy: policy, Hosts: make([]*Host, 0, n), places: &places{byID: make(map[string]int, n), regions: map[string]string{}}}
	for id, h := range state.Hosts.All() {
		if !h.Gone {
			f.places.byID[id] = len(f.Hosts)
			f.Hosts = append(f.Hosts, f.host(h, len(f.Hosts)))
		}
	}
	f.Restless = f.restless(f.Hosts)
	return f
}

// Next is New for one who has looked at another state before, which may be nil: of the
// hosts only those are looked at that have changed, or are restless.
func Next(before *Fleet, state *db.State, policy policy.Policy) *Fleet {
	if before == nil || before.Policy != policy || state.Tick < before.State.Tick {
		return New(state, policy)
	}
	var again []int
	for id := range ordmap.Changed(before.State.Hosts, state.Hosts) {
		i, known := before.places.byID[id]
		if h := state.Hosts.At(id); known != (h != nil && !h.Gone) {
			return New(state, policy)
		}
		if known {
			again = append(again, i)
		}
	}
	for _, h := range before.Restless {
		again = append(again, h.Index)
	}
	f := &Fleet{State: state, Policy: policy, Hosts: before.Hosts, places: before.places}
	if len(again) == 0 {
		return f
	}
	slices.Sort(again)
	again = slices.Compact(again)
	f.Hosts = slices.Clone(before.Hosts)
	looked := make([]*Host, len(again))
	for at, i := range again {
		looked[at] = f.host(state.Hosts.At(f.Hosts[i].ID()), i)
		f.Hosts[i] = looked[at]
	}
	f.Restless = f.restless(looked)
	return f
}

// host looks at one host.
func (f *Fleet) host(h *db.Host, index int) *Host {
	up := f.State.HostState(h, f.Policy.TTL) == pb.NodeHostState_UP
	host := &Host{Host: h, Index: index, Up: up, Fresh: up && f.State.Silence(h) < f.Policy.Suspect, weight: defaultWeight}
	host.open = host.Fresh && h.Mode == pb.HostMode_ACTIVE && h.Info.GetSick() == ""
	if w := h.Info.GetWeight(); w != 0 {
		host.weight = int(w)
	}
	if name, known := f.places.regions[h.Region()]; known {
		host.region = name
	} else {
		host.region = h.Region()
		f.places.regions[host.region] = host.region
	}
	return host
}

// restless are those of some hosts that are. All others are fresh, and have been so for
// long.
func (f *Fleet) restless(hosts []*Host) []*Host {
	var restless []*Host
	for _, h := range hosts {
		if !h.Fresh || h.Silent || h.Deaths > 0 || f.UpFor(h) < f.Policy.BalanceCalm {
			restless = append(restless, h)
		}
	}
	return restless
}

// Changed walks the hosts of an earlier fleet that are others in this one, and what
// they are now: nil where there is none any more.
func (f *Fleet) Changed(before *Fleet) iter.Seq2[*Host, *Host] {
	return func(yield func(was, is *Host) bool) {
		for i, was := range before.Hosts {
			var is *Host
			if f.places == before.places {
				is = f.Hosts[i]
			} else {
				is = f.Host(was.ID())
			}
			if was != is && !yield(was, is) {
				return
			}
		}
	}
}

// SameHosts reports whether a host has the same Index in both fleets, and both have the
// same hosts.
func (f *Fleet) SameHosts(o *Fleet) bool { return f.places == o.places }

// Host returns the host with a NodeHost ID, or nil when there is none any more.
func (f *Fleet) Host(id string) *Host {
	if i, ok := f.places.byID[id]; ok {
		return f.Hosts[i]
	}
	return nil
}

// At returns the host that lives at an address now, or nil.
func (f *Fleet) At(address string) *Host { return f.Host(f.State.Addresses.At(address)) }

// Of returns the host that a node lives on, or nil when there is none any more.
func (f *Fleet) Of(n *db.Node) *Host {
	if h := f.State.NodeHost(n); h != nil {
		return f.Host(h.ID())
	}
	return nil
}

// Silent is how many ticks ago a host was last heard of.
func (f *Fleet) Silent(h *Host) uint64 { return f.State.Silence(h.Host) }

// UpFor is how many ticks ago a host came up last.
func (f *Fleet) UpFor(h *Host) uint64 { return f.State.Tick - h.UpSince }

// Open hosts may be given new nodes.
func (h *Host) Open() bool { return h.open }

// Region is the host's region, "" when it has none.
func (h *Host) Region() string { return h.region }

const defaultWeight = 100

// Weight is how much the host can carry, relative to others.
func (h *Host) Weight() int { return h.weight }

// HasLabels reports whether a host has all of the labels.
func (h *Host) HasLabels(labels map[string]string) bool {
	for key, value := range labels {
		if h.Info.GetLabels()[key] != value {
			return false
		}
	}
	return true
}

// Region is the key of Domain under which a host's region is its domain.
const Region = "region"

// Domain is the failure domain of a host: the value of a label, or its region.
func (h *Host) Domain(key string) string {
	if key == Region {
		return h.Region()
	}
	if h.spreadOver != key {
		h.spreadOver, h.domain = key, h.Info.GetLabels()[key]
	}
	return h.domain
}

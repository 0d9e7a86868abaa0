// SPDX-License-Identifier: Apache-2.0

// Package fleet is DrummerDB's state as one decision sees it: which hosts are up,
// and how each member of a cluster is. It has facts alone; what to do about them,
// where and how fast is said elsewhere.
package fleet

import (
	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule/internal/policy"
)

// Fleet is the hosts at one index of DrummerDB.
type Fleet struct {
	State  *db.State
	Policy policy.Policy
	// Hosts are those that are not gone, by NodeHost ID.
	Hosts []*Host
	byID  map[string]*Host
}

// Host is one NodeHost that is not gone.
type Host struct {
	*db.Host
	// Index is that in Fleet.Hosts, for what others count of each host.
	Index int
	Up    bool
	// Fresh hosts were heard of so lately that what they reported can be built on.
	Fresh bool

	// domain is the value of the label spreadOver, the last one asked for.
	spreadOver, domain string
}

// New looks at the hosts of a state.
func New(state *db.State, policy policy.Policy) *Fleet {
	n := state.Hosts.Len()
	f := &Fleet{State: state, Policy: policy, Hosts: make([]*Host, 0, n), byID: make(map[string]*Host, n)}
	hosts := make([]Host, n) // one allocation: a decision is made for every change
	for id, h := range state.Hosts.All() {
		status := state.HostState(h, policy.TTL)
		if status == pb.NodeHostState_GONE {
			continue
		}
		up := status == pb.NodeHostState_UP
		host := &hosts[len(f.Hosts)]
		*host = Host{Host: h, Index: len(f.Hosts), Up: up, Fresh: up && state.Silence(h) < policy.Suspect}
		f.byID[id] = host
		f.Hosts = append(f.Hosts, host)
	}
	return f
}

// Host returns the host with a NodeHost ID, or nil when there is none any more.
func (f *Fleet) Host(id string) *Host { return f.byID[id] }

// At returns the host that lives at an address now, or nil.
func (f *Fleet) At(address string) *Host { return f.byID[f.State.Addresses.At(address)] }

// Of returns the host that a node lives on, or nil when there is none any more.
func (f *Fleet) Of(n *db.Node) *Host {
	if h := f.State.NodeHost(n); h != nil {
		return f.byID[h.ID()]
	}
	return nil
}

// Silent is how many ticks ago a host was last heard of.
func (f *Fleet) Silent(h *Host) uint64 { return f.State.Silence(h.Host) }

// UpFor is how many ticks ago a host came up last.
func (f *Fleet) UpFor(h *Host) uint64 { return f.State.Tick - h.UpSince }

// Open hosts may be given new nodes.
func (h *Host) Open() bool {
	return h.Fresh && h.Mode == pb.HostMode_ACTIVE && h.Info.GetSick() == ""
}

const defaultWeight = 100

// Weight is how much the host can carry, relative to others.
func (h *Host) Weight() int {
	if w := h.Info.GetWeight(); w != 0 {
		return int(w)
	}
	return defaultWeight
}

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

// SPDX-License-Identifier: Apache-2.0

package schedule

import (
	"encoding/binary"
	"hash/fnv"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// fleet is the hosts as one decision sees them: how they are, and what they
// carry, with what was decided so far counted in.
type fleet struct {
	state  *db.State
	policy Policy
	seed   uint64
	hosts  map[string]*host // by NodeHost ID; all but the gone
	// order is hosts by NodeHost ID: the map is never walked.
	order      []*host
	operations int // in flight, of all hosts
	fuses      fuses
	// calm: no host has died, returned or joined lately.
	calm bool
}

// host is one NodeHost that is not gone.
type host struct {
	*db.Host
	up bool
	// fresh hosts were heard of so lately that their word can be built on.
	fresh bool
	// stable hosts have not just come back from the dead, again.
	stable     bool
	placed     int // nodes placed on it
	leaders    int // clusters that a node on it leads
	operations int // in flight, that it carries out
	joins      int // observers on it that are catching up
	// domain is the value of the label spreadOver, the last one asked for.
	spreadOver, domain string
	// over: it carries, or leads, much more than another host.
	over bool
}

// load is how full a host is: nodes for a weight of 10,000.
func (h *host) load() int { return h.placed * 10_000 / h.weight() }

const defaultWeight = 100

func (h *host) weight() int {
	if w := h.Info.GetWeight(); w != 0 {
		return int(w)
	}
	return defaultWeight
}

// open hosts may be given new nodes.
func (h *host) open() bool { return h.fresh && h.Mode == pb.HostMode_ACTIVE }

func newFleet(state *db.State, policy Policy, seed uint64) *fleet {
	f := &fleet{state: state, policy: policy, seed: seed, hosts: map[string]*host{}}
	for id, h := range state.Hosts.All() {
		status := state.HostState(h, policy.TTL)
		if status == pb.NodeHostState_GONE {
			continue
		}
		up := status == pb.NodeHostState_UP
		view := &host{
			Host:   h,
			up:     up,
			fresh:  up && state.Tick-h.LastSeen < policy.Suspect,
			stable: h.Deaths == 0 || state.Tick-h.UpSince >= policy.quarantine(h.Deaths),
			placed: h.Placed,
		}
		f.hosts[id] = view
		f.order = append(f.order, view)
	}
	for op := range state.Operations.Values() {
		f.count(op)
	}
	f.fuses = f.checkFuses()
	f.calm = f.isCalm()
	return f
}

// count takes an operation in flight into account.
func (f *fleet) count(op *pb.Operation) {
	f.operations++
	if h := f.hosts[op.Request.NodehostId]; h != nil {
		h.operations++
	}
}

// free reports whether a host may be given another operation.
func (f *fleet) free(h *host) bool {
	return f.operations < f.policy.OperationsTotal && h.operations < f.policy.OperationsPerHost
}

// at returns the host that lives at an address now, or nil.
func (f *fleet) at(address string) *host {
	return f.hosts[f.state.Addresses.At(address)]
}

// of returns the host that a node lives on, or nil when there is none any
// more.
func (f *fleet) of(n *db.Node) *host {
	if h := f.state.NodeHost(n); h != nil {
		return f.hosts[h.ID()]
	}
	return nil
}

// rank breaks ties between equally good hosts of a cluster, at random but for
// the seed, so that clusters which start together do not pile up; and another
// way after each failure, so that the same host is not tried again and again.
func (f *fleet) rank(clusterID uint64, failures uint32, hostID string) uint64 {
	var b [20]byte
	binary.LittleEndian.PutUint64(b[:8], f.seed)
	binary.LittleEndian.PutUint64(b[8:16], clusterID)
	binary.LittleEndian.PutUint32(b[16:], failures)
	h := fnv.New64a()
	h.Write(b[:])
	h.Write([]byte(hostID))
	return mix(h.Sum64()) // FNV's high bits change little with the last bytes
}

// mix spreads every bit of a number over all of it: the finisher of
// splitmix64.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

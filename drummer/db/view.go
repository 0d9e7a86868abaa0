// SPDX-License-Identifier: Apache-2.0

package db

import (
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// empty reports whether nothing is on a host, and nothing is known to come.
func (s *State) empty(h *Host) bool {
	if h.Replicas.Len() > 0 {
		return false
	}
	left := h.Placed
	for c := range s.Clusters.Values() {
		if left == 0 {
			break
		}
		for i := range c.Nodes {
			if n := &c.Nodes[i]; n.HostID == h.ID() && c.doubtful(n) {
				left--
			}
		}
	}
	return left == 0
}

// HostStatus is Drummer's picture of a NodeHost: suspect after so many ticks
// without a word, dead after ttl.
func (s *State) HostStatus(h *Host, suspect, ttl uint64) *pb.NodeHostStatus {
	status := &pb.NodeHostStatus{
		Host:         h.Info,
		State:        s.HostState(h, ttl),
		LastSeenTick: s.LastSeen(h),
		Nodes:        uint32(h.Running),
	}
	if status.State == pb.NodeHostState_UP {
		switch {
		case s.Silence(h) >= suspect:
			status.State = pb.NodeHostState_SUSPECT
		case h.Mode == pb.HostMode_CORDON:
			status.State = pb.NodeHostState_CORDONED
		case h.Mode == pb.HostMode_DRAIN && s.empty(h):
			status.State = pb.NodeHostState_DRAINED
		case h.Mode == pb.HostMode_DRAIN:
			status.State = pb.NodeHostState_DRAINING
		}
	}
	return status
}

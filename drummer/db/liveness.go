// SPDX-License-Identifier: Apache-2.0

package db

import pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"

// LastSeen is the tick at which a host was last heard of.
func (s *State) LastSeen(h *Host) uint64 {
	if h.Silent {
		return h.LastSeen
	}
	return s.Tick
}

// Silence is how many ticks ago that was.
func (s *State) Silence(h *Host) uint64 { return s.Tick - s.LastSeen(h) }

// HostState derives how a host is from when it was last heard of: dead after
// ttl ticks without a word.
func (s *State) HostState(h *Host, ttl uint64) pb.NodeHostState {
	switch {
	case h.Gone:
		return pb.NodeHostState_GONE
	case s.Silence(h) >= ttl:
		return pb.NodeHostState_DEAD
	default:
		return pb.NodeHostState_UP
	}
}

// NodeHost returns the host that a node lives on, or nil when there is none
// any more: it was never known, its disk is lost, or it has another address.
func (s *State) NodeHost(n *Node) *Host { return n.on(s.Hosts.At(n.HostID)) }

// on returns the host that has the ID of a node's, if the node still lives there.
func (n *Node) on(h *Host) *Host {
	if h == nil || h.Gone || h.Address() != n.Address {
		return nil
	}
	return h
}

// SPDX-License-Identifier: Apache-2.0

package db

import (
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// Version is the newest version of the log's commands that this program knows.
// A number stands for all that Apply makes of commands, not only for their kinds:
// two servers must make the same state of the same bytes, whichever programs they
// run. So in a program that follows a released one Version grows with
//   - a new kind of command, or a new field in one that Apply goes by;
//   - a change to what Apply accepts, refuses, records or writes into an event, the
//     limits in validate.go and raftspec.Check among it;
//   - a new field of a snapshot that an older program would lose: it would restore
//     another state than it was sent.
//
// What is new has to be behind edit.since, or a look at State.Version, and applies
// once SetVersion let the version in, which the leader asks for when every server
// knows it: until then all refuse alike. schedule decides on the leader alone, and
// its decisions are data in the log, so a change there needs no number.
//
// No version is released yet. Version 2 has all there is; 1 is where an empty
// DrummerDB begins, and knows no fuses, no restarts for a new Raft configuration,
// and looks less closely at specifications. Until the first release Apply may
// change within version 2: servers built from different commits before that must
// not run together, nor one on the other's data.
const Version = 2

// calmTicks is how long a host must be up for its deaths to be forgotten.
const calmTicks = 3600

// maxDeaths is where the count of deaths stops: the quarantine reached its limit
// long before.
const maxDeaths = 1 << 30

// heard renews a host: it counts as heard of until it is silent.
func (e *edit) heard(h *Host) {
	h.Silent, h.LastSeen = false, 0
	if h.Dead {
		h.Dead = false
		h.UpSince = e.s.Tick
		h.Deaths = min(h.Deaths+1, maxDeaths)
		e.event(&pb.Event{Kind: pb.EventHostReturned, NodehostId: h.ID()},
			"host %s is heard of again after its death, number %d lately", h.ID(), h.Deaths)
	}
}

// age finds the hosts that this tick makes dead, calm, or worth forgetting.
func (e *edit) age() {
	for id := range e.s.Hosts.All() {
		h := e.hosts[id]
		if h == nil {
			h = e.s.Hosts.At(id) // not to be changed
		}
		switch {
		case h.Gone && h.Placed == 0 && e.s.Tick-max(h.GoneSince, h.Spoke) > forgetGoneAfter:
			e.dropHost(id)
			e.event(&pb.Event{Kind: pb.EventHostForgotten, NodehostId: id},
				"host %s was forgotten, its disk was lost and nothing is placed on it", id)
		case h.Gone:
		case !h.Dead && e.s.TTL > 0 && e.s.Silence(h) >= e.s.TTL:
			e.host(id).Dead = true
			e.event(&pb.Event{Kind: pb.EventHostDead, NodehostId: id},
				"host %s is dead, unheard of for %d ticks", id, e.s.Silence(h))
		case !h.Dead && h.Deaths > 0 && e.s.Tick-h.UpSince >= calmTicks:
			e.host(id).Deaths = 0
		}
	}
}

// silence notes that a host was last heard of so many ticks ago.
func (e *edit) silence(h *Host, ticks uint64) {
	if !h.Silent {
		h.Silent, h.LastSeen = true, e.s.Tick-min(ticks, e.s.Tick)
	}
}

func (e *edit) setPaused(cmd *pb.SetPaused) {
	if e.s.Paused == cmd.GetPaused() {
		return
	}
	e.s.Paused = cmd.GetPaused()
	e.s.PauseReason = shorten(cmd.GetReason())
	if e.s.Paused {
		e.event(&pb.Event{Kind: pb.EventPaused, By: shorten(cmd.GetBy())}, "Drummer was paused%s: %s", by(cmd.GetBy()), e.s.PauseReason)
	} else {
		e.event(&pb.Event{Kind: pb.EventPaused, By: shorten(cmd.GetBy())}, "Drummer goes on, as asked%s", by(cmd.GetBy()))
	}
}

// noteServerChange logs a change of the members of DrummerDB's own Raft cluster.
func (e *edit) noteServerChange(cmd *pb.NoteServerChange) {
	if !validNodeID(cmd.GetNodeId()) || len(cmd.GetRaftAddress()) > maxNameBytes {
		e.refuse(pb.CommandCode_INVALID, "no server has the node ID %d, or a RaftAddress of %d bytes", cmd.GetNodeId(), len(cmd.GetRaftAddress()))
		return
	}
	switch cmd.GetChange() {
	case pb.NoteServerChange_ADD:
		e.event(&pb.Event{Kind: pb.EventServerAdded, NodeId: cmd.GetNodeId(), By: shorten(cmd.GetBy())},
			"server %d of Drummer, at %s, is added%s", cmd.GetNodeId(), cmd.GetRaftAddress(), by(cmd.GetBy()))
	case pb.NoteServerChange_REMOVE:
		e.event(&pb.Event{Kind: pb.EventServerRemoved, NodeId: cmd.GetNodeId(), By: shorten(cmd.GetBy())},
			"server %d of Drummer, at %s, is removed%s", cmd.GetNodeId(), cmd.GetRaftAddress(), by(cmd.GetBy()))
	default:
		e.refuse(pb.CommandCode_INVALID, "there is no change %d of a server", cmd.GetChange())
	}
}

func (e *edit) setHostMode(cmd *pb.SetHostMode) {
	h := e.currentHost(cmd.GetNodehostId())
	_, known := pb.HostMode_name[int32(cmd.GetMode())]
	switch {
	case h == nil:
		e.refuse(pb.CommandCode_NOT_FOUND, "host %q is unknown or gone", cmd.GetNodehostId())
	case !known:
		e.refuse(pb.CommandCode_INVALID, "there is no host mode %d", cmd.GetMode())
	case h.Mode != cmd.Mode:
		h.Mode = cmd.Mode
		e.event(&pb.Event{Kind: pb.EventHostMode, NodehostId: h.ID(), By: shorten(cmd.GetBy())},
			"host %s was set to %s%s", h.ID(), cmd.Mode, by(cmd.GetBy()))
	}
}

func (e *edit) forgetHost(cmd *pb.ForgetHost) {
	h := e.host(cmd.GetNodehostId())
	switch {
	case h == nil:
		e.refuse(pb.CommandCode_NOT_FOUND, "host %q is unknown", cmd.GetNodehostId())
		return
	case !h.Gone && !h.Dead:
		e.refuse(pb.CommandCode_CONFLICT, "host %s is not dead", h.ID())
		return
	case h.Spoke != 0 && e.s.Tick-h.Spoke < max(e.s.TTL, 1):
		e.refuse(pb.CommandCode_CONFLICT,
			"host %s speaks still, and would take %s from its present owner were it forgotten: stop its process first", h.ID(), h.Address())
		return
	}
	switch e.dropDoubtful(h); {
	case h.Placed > 0:
		e.refuse(pb.CommandCode_CONFLICT, "%d nodes are still placed on host %s", h.Placed, h.ID())
	default:
		id := h.ID()
		e.dropReplicas(h, func(*Cluster, *Replica) bool { return false })
		if e.s.Addresses.At(h.Address()) == id {
			e.s.Addresses = e.s.Addresses.Delete(h.Address())
		}
		e.dropHost(id)
		e.event(&pb.Event{Kind: pb.EventHostForgotten, NodehostId: id, By: shorten(cmd.GetBy())}, "host %s was forgotten%s", id, by(cmd.GetBy()))
	}
}

func (e *edit) setVersion(cmd *pb.SetVersion) {
	switch v := cmd.GetVersion(); {
	case v == e.s.Version:
	case v != e.s.Version+1:
		e.refuse(pb.CommandCode_INVALID, "version %d does not follow version %d", v, e.s.Version)
	case v > Version:
		e.refuse(pb.CommandCode_UNKNOWN_COMMAND, "this program knows versions up to %d, not %d", Version, v)
	default:
		e.s.Version = v
		e.event(&pb.Event{Kind: pb.EventVersion}, "commands of version %d are allowed", v)
	}
}

// SPDX-License-Identifier: Apache-2.0

package db

import (
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// disksSince is the version of DrummerDB's commands since which the generations of
// disks are recorded.
const disksSince = 2

// noteDisks takes in which generations the disks of hosts have come to.
func (e *edit) noteDisks(disks []*pb.DiskGeneration) {
	if e.s.Version < disksSince {
		return
	}
	for _, d := range disks {
		if h := e.currentHost(d.GetNodehostId()); h != nil {
			h.DiskGeneration = max(h.DiskGeneration, d.GetGeneration())
		}
	}
}

// loseDisk takes the nodes on a host for lost that came back with an old copy of its
// disk: they have forgotten what they acknowledged. So have those that the copy does
// not have at all; one that was asked to start may have run and voted, and is never
// started as a new one.
func (e *edit) loseDisk(cmd *pb.LoseDisk) {
	h := e.currentHost(cmd.GetNodehostId())
	if h == nil {
		e.refuse(pb.CommandCode_NOT_FOUND, "host %q is not known, or gone", cmd.GetNodehostId())
		return
	}
	newest := max(h.DiskGeneration, cmd.GetNewestGeneration())
	if cmd.GetGeneration() >= newest {
		e.refuse(pb.CommandCode_INVALID, "a disk of generation %d is no old copy of one of generation %d", cmd.GetGeneration(), newest)
		return
	}
	h.DiskGeneration = newest
	e.dropReplicas(h, func(*Cluster, *Replica) bool { return false })
	for _, op := range e.s.Operations.All() {
		if r := op.GetRequest(); r.GetNodehostId() == h.ID() && r.GetKind() == pb.RequestKind_START_NODE {
			e.closeOperation(op, unknown, operationEvent(pb.EventOperationEnded, op), "is off: the disk of its host is an old copy")
		}
	}
	for id, base := range e.s.Clusters.All() {
		for i, n := range base.Nodes {
			if n.HostID != h.ID() {
				continue
			}
			c := e.cluster(id)
			c.Nodes[i].Started = n.Started || c.Nodes[i].Asked
			e.changed(c)
		}
	}
	e.event(&pb.Event{Kind: pb.EventHostDiskOld, NodehostId: h.ID()},
		"host %s at %s came back with an old copy of its disk, of generation %d, and had generation %d before: its %d nodes are lost and will be replaced",
		h.ID(), h.Address(), cmd.GetGeneration(), newest, h.Placed)
}

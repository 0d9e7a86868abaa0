// SPDX-License-Identifier: Apache-2.0

package db

import (
	"slices"

	"google.golang.org/protobuf/proto"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/raftspec"
)

// defineClusters adds specifications, all or none.
func (e *edit) defineClusters(cmd *pb.DefineClusters) {
	if err := validateSpecs(cmd.GetSpecs(), e.s.Version); err != nil {
		e.refuse(pb.CommandCode_INVALID, "%s", err.Error())
		return
	}
	for _, spec := range cmd.GetSpecs() {
		c := e.clusterOrNew(spec.ClusterId)
		if c.Spec == nil {
			c.Deleted = false
			e.specify(c, spec)
			e.event(&pb.Event{Kind: pb.EventClusterDefined, ClusterId: c.ID, By: shorten(cmd.GetBy())},
				"cluster %d was defined%s: %d members of application %q", c.ID, by(cmd.GetBy()), spec.Size, spec.Application)
		} else if !proto.Equal(c.Spec, spec) {
			e.refuse(pb.CommandCode_CONFLICT,
				"cluster %d is defined already, and differently", c.ID)
			return
		}
	}
}

// updateClusters changes specifications, all or none.
func (e *edit) updateClusters(cmd *pb.UpdateClusters) {
	if err := validateSpecs(cmd.GetSpecs(), e.s.Version); err != nil {
		e.refuse(pb.CommandCode_INVALID, "%s", err.Error())
		return
	}
	for _, spec := range cmd.GetSpecs() {
		c := e.cluster(spec.ClusterId)
		switch {
		case c == nil || c.Spec == nil:
			e.refuse(pb.CommandCode_NOT_FOUND, "cluster %d is not defined", spec.ClusterId)
			return
		case c.Spec.Application != spec.Application:
			e.refuse(pb.CommandCode_CONFLICT, "cluster %d runs application %q, which can't change to %q",
				c.ID, c.Spec.Application, spec.Application)
			return
		case !proto.Equal(c.Spec, spec):
			e.event(&pb.Event{Kind: pb.EventClusterUpdated, ClusterId: c.ID, By: shorten(cmd.GetBy())},
				"cluster %d was changed%s, from size %d to %d", c.ID, by(cmd.GetBy()), c.Spec.Size, spec.Size)
			e.specify(c, spec)
		}
	}
}

// deleteClusters ends clusters, all or none. Deleting again is no error.
func (e *edit) deleteClusters(cmd *pb.DeleteClusters) {
	for _, id := range cmd.GetClusterIds() {
		c := e.cluster(id)
		switch {
		case c != nil && c.Deleted:
		case c == nil || c.Spec == nil:
			e.refuse(pb.CommandCode_NOT_FOUND, "cluster %d is not defined", id)
			return
		default:
			e.endLife(c)
			c.Deleted = true
			e.specify(c, nil)
			e.event(&pb.Event{Kind: pb.EventClusterDeleted, ClusterId: id, By: shorten(cmd.GetBy())},
				"cluster %d was deleted%s", id, by(cmd.GetBy()))
		}
	}
}

// specify gives a cluster a specification, or none.
func (e *edit) specify(c *Cluster, spec *pb.ClusterSpec) {
	c.Spec = spec
	c.RaftDigest = raftspec.Digest(spec.GetRaft())
	e.changed(c)
}

// endLife makes every node of the cluster, and every membership that speaks
// of one, a thing of the past.
func (e *edit) endLife(c *Cluster) {
	for _, n := range slices.Clone(c.Nodes) {
		e.dropNode(c, n.ID)
	}
	e.overtake(c.Config)
	c.FirstNodeID = c.NextNodeID
	c.Image = Image{}
	c.Initial = nil
	c.Config = Attempt{}
	c.JoinFailures, c.JoinFailed = 0, 0
	e.changed(c)
}

// by names who asked for something, where that is known.
func by(who string) string {
	if who == "" {
		return ""
	}
	return " by " + shorten(who)
}

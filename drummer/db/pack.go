// SPDX-License-Identifier: Apache-2.0

package db

import (
	"encoding/binary"
	"fmt"

	"google.golang.org/protobuf/proto"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// Clusters are most of a state, and protocol buffers cost too much for millions of
// small messages. So a snapshot has them packed, many to a record: numbers as
// uvarints, a text (an ID, an address, a specification without its ClusterID) in full
// the first time and by its number from then on, and what is as usual as a bit.
//
// A cluster is
//
//	ClusterID, as the difference to the one before
//	bits of packedCluster
//	specification, if there is one
//	FirstNodeID, NextNodeID less that, Index of the state less ChangedAt
//	what the bits announce, in their order
//	number of nodes, and each; number of replicas, and each
//
// What is packed here is unpacked in unpack.go, field by field in the same order.
const (
	packedSpec = 1 << iota
	packedDeleted
	packedLeader
	packedConfig
	packedJoins
	packedImage
	packedInitial
)

const (
	packedAsked = 1 << iota
	packedUnsure
	packedStarted
	packedObserver // Join is JOIN_AS_OBSERVER, otherwise INITIAL
	packedOfImage  // Address is that of the member in Image
	packedFence
	packedStart
	packedStops
)

const (
	packedRunning = 1 << iota
	packedCaughtUp
	packedForeign
	packedOfNode    // HostID is that of the node
	packedOfCluster // Leader and Term are the cluster's
	packedOfSpec    // RaftDigest is the cluster's
	packedCCID      // CCID is that of Image
	packedDestroy
)

// clustersPerRecord is how many clusters a record has.
const clustersPerRecord = 1000

// packer packs the clusters of one state, in order.
type packer struct {
	index  uint64            // of the state
	last   uint64            // ClusterID
	texts  map[string]uint64 // their numbers, counted from 1
	out    []byte
	packed int // clusters in out
}

func newPacker(index uint64) *packer { return &packer{index: index, texts: map[string]uint64{}} }

// take returns what was packed since the last time.
func (p *packer) take() []byte {
	out := p.out
	p.out, p.packed = nil, 0
	return out
}

func (p *packer) number(n uint64) { p.out = binary.AppendUvarint(p.out, n) }

func (p *packer) text(s string) {
	if n, known := p.texts[s]; known {
		p.number(n)
		return
	}
	p.texts[s] = uint64(len(p.texts) + 1)
	p.number(0)
	p.number(uint64(len(s)))
	p.out = append(p.out, s...)
}

// bit is a bit if it is set.
func bit(set bool, bit uint64) uint64 {
	if set {
		return bit
	}
	return 0
}

func (p *packer) cluster(c *Cluster) error {
	p.packed++
	p.number(c.ID - p.last)
	p.last = c.ID
	bits := bit(c.Spec != nil, packedSpec) | bit(c.Deleted, packedDeleted) |
		bit(c.Leader|c.LeaderTerm|c.LeaderSince != 0, packedLeader) | bit(c.Config != Attempt{}, packedConfig) |
		bit(uint64(c.JoinFailures)|c.JoinFailed != 0, packedJoins) |
		bit(c.Image.CCID != 0, packedImage) | bit(len(c.Initial) > 0, packedInitial)
	p.number(bits)
	if c.Spec != nil {
		if err := p.spec(c.Spec); err != nil {
			return err
		}
	}
	p.number(c.FirstNodeID)
	p.number(c.NextNodeID - c.FirstNodeID)
	p.number(p.index - c.ChangedAt)
	if bits&packedLeader != 0 {
		p.number(c.Leader)
		p.number(c.LeaderTerm)
		p.number(c.LeaderSince)
	}
	if bits&packedConfig != 0 {
		p.attempt(c.Config)
	}
	if bits&packedJoins != 0 {
		p.number(uint64(c.JoinFailures))
		p.number(c.JoinFailed)
	}
	if bits&packedImage != 0 {
		p.number(c.Image.CCID)
		p.members(c.Image.Members)
		p.number(uint64(len(c.Image.Removed)))
		for _, id := range c.Image.Removed {
			p.number(id)
		}
	}
	if bits&packedInitial != 0 {
		p.members(c.Initial)
	}
	p.number(uint64(len(c.Nodes)))
	for i := range c.Nodes {
		p.node(c, &c.Nodes[i])
	}
	p.number(uint64(len(c.Replicas)))
	for i := range c.Replicas {
		p.replica(c, &c.Replicas[i])
	}
	return nil
}

func (p *packer) spec(spec *pb.ClusterSpec) error {
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(specOf(spec, 0))
	if err != nil {
		return fmt.Errorf("the specification of cluster %d can't be encoded: %w", spec.GetClusterId(), err)
	}
	p.text(string(data))
	return nil
}

// specOf is a specification for another ClusterID. It shares what is in it, which
// nobody changes.
func specOf(s *pb.ClusterSpec, clusterID uint64) *pb.ClusterSpec {
	return &pb.ClusterSpec{ClusterId: clusterID, Application: s.GetApplication(), Size: s.GetSize(), Raft: s.GetRaft(), Regions: s.GetRegions(),
		RequiredLabels: s.GetRequiredLabels(), PreferredLabels: s.GetPreferredLabels(), SpreadOver: s.GetSpreadOver()}
}

func (p *packer) attempt(a Attempt) {
	p.number(a.Operation)
	p.number(uint64(a.Failures))
	p.number(a.Ended)
}

func (p *packer) members(members []Member) {
	p.number(uint64(len(members)))
	for _, m := range members {
		p.number(m.NodeID)
		p.number(uint64(m.Role))
		p.text(m.Address)
	}
}

func (p *packer) node(c *Cluster, n *Node) {
	member := c.Image.Member(n.ID)
	bits := bit(n.Asked, packedAsked) | bit(n.Unsure, packedUnsure) | bit(n.Started, packedStarted) |
		bit(n.Join == pb.JoinMode_JOIN_AS_OBSERVER, packedObserver) | bit(member != nil && member.Address == n.Address, packedOfImage) |
		bit(n.Fence|n.Relieves != 0, packedFence) | bit(n.Start != Attempt{}, packedStart) |
		bit(uint64(n.Stops)|n.RanSince != 0, packedStops)
	p.number(n.ID)
	p.number(bits)
	p.text(n.HostID)
	if bits&packedOfImage == 0 {
		p.text(n.Address)
	}
	if bits&packedFence != 0 {
		p.number(n.Fence)
		p.number(n.Relieves)
	}
	p.number(n.MemberSince)
	if bits&packedStart != 0 {
		p.attempt(n.Start)
	}
	if bits&packedStops != 0 {
		p.number(uint64(n.Stops))
		p.number(n.RanSince)
	}
}

func (p *packer) replica(c *Cluster, r *Replica) {
	node := c.Node(r.NodeID)
	bits := bit(r.Running, packedRunning) | bit(r.CaughtUp, packedCaughtUp) | bit(r.Foreign, packedForeign) |
		bit(node != nil && node.HostID == r.HostID, packedOfNode) |
		bit(r.Leader == c.Leader && r.Term == c.LeaderTerm, packedOfCluster) |
		bit(r.RaftDigest == c.RaftDigest, packedOfSpec) | bit(r.CCID == c.Image.CCID, packedCCID) | bit(r.Destroy != Attempt{}, packedDestroy)
	p.number(r.NodeID)
	p.number(bits)
	p.number(uint64(r.Role))
	if bits&packedOfNode == 0 {
		p.text(r.HostID)
	}
	if bits&packedOfCluster == 0 {
		p.number(r.Leader)
		p.number(r.Term)
	}
	if bits&packedOfSpec == 0 {
		p.number(r.RaftDigest)
	}
	if bits&packedCCID == 0 {
		p.number(r.CCID)
	}
	if bits&packedDestroy != 0 {
		p.attempt(r.Destroy)
	}
}

// SPDX-License-Identifier: Apache-2.0

package db

import (
	"encoding/binary"
	"errors"
	"math"

	"google.golang.org/protobuf/proto"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/raftspec"
)

// unpacker unpacks the clusters of one state, record by record. It accepts any bytes:
// after its first error it does nothing, and whether what it made can be is for
// State.Check to say.
type unpacker struct {
	index uint64
	last  uint64
	texts []string
	specs map[string]packedSpecification
	// noSpec is the RaftDigest of a cluster without specification.
	noSpec uint64
	in     []byte
	spare  Cluster
	err    error
}

// packedSpecification is a specification without its ClusterID.
type packedSpecification struct {
	spec   *pb.ClusterSpec
	digest uint64 // of its Raft configuration
}

func newUnpacker(index uint64) *unpacker {
	return &unpacker{index: index, specs: map[string]packedSpecification{}, noSpec: raftspec.Digest(nil)}
}

// clusters unpacks one record, and calls take for each cluster.
func (u *unpacker) clusters(record []byte, take func(*Cluster)) error {
	u.in = record
	for len(u.in) > 0 && u.err == nil {
		if c := u.cluster(); u.err == nil {
			take(c)
		}
	}
	return u.err
}

func (u *unpacker) fail(why string) {
	if u.err == nil {
		u.err = errors.New("a packed cluster in the snapshot of DrummerDB " + why)
	}
	u.in = nil
}

func (u *unpacker) number() uint64 {
	n, size := binary.Uvarint(u.in)
	if size <= 0 {
		u.fail("ends in the middle")
		return 0
	}
	u.in = u.in[size:]
	return n
}

// small is a number of 32 bits.
func (u *unpacker) small() uint32 {
	n := u.number()
	if n > math.MaxUint32 {
		u.fail("has a number that is too large")
	}
	return uint32(n)
}

// count is how many of something follow, each of which takes a byte at least.
func (u *unpacker) count() int {
	n := u.number()
	if n > uint64(len(u.in)) {
		u.fail("announces more than there is")
		return 0
	}
	return int(n)
}

func (u *unpacker) text() string {
	n := u.number()
	if n == 0 {
		size := u.count()
		s := string(u.in[:size])
		u.in = u.in[size:]
		u.texts = append(u.texts, s)
		return s
	}
	if n > uint64(len(u.texts)) {
		u.fail("refers to a text that is not there")
		return ""
	}
	return u.texts[n-1]
}

// cluster unpacks one cluster: into a spare one at first, so that what is kept is no
// larger than it has to be.
func (u *unpacker) cluster() *Cluster {
	c := &u.spare
	*c = Cluster{Nodes: c.Nodes[:0], Replicas: c.Replicas[:0]}
	step := u.number()
	if c.ID = u.last + step; step == 0 || c.ID < step {
		u.fail("is out of order")
	}
	u.last = c.ID
	bits := u.number()
	c.Deleted = bits&packedDeleted != 0
	c.RaftDigest = u.noSpec
	if bits&packedSpec != 0 {
		c.Spec, c.RaftDigest = u.spec(c.ID)
	}
	c.FirstNodeID = u.number()
	c.NextNodeID = c.FirstNodeID + u.number()
	c.ChangedAt = u.index - u.number()
	if bits&packedLeader != 0 {
		c.Leader, c.LeaderTerm, c.LeaderSince = u.number(), u.number(), u.number()
	}
	if bits&packedConfig != 0 {
		c.Config = u.attempt()
	}
	if bits&packedJoins != 0 {
		c.JoinFailures, c.JoinFailed = u.small(), u.number()
	}
	if bits&packedImage != 0 {
		c.Image.CCID = u.number()
		c.Image.Members = u.members()
		for range u.count() {
			c.Image.Removed = append(c.Image.Removed, u.number())
		}
	}
	if bits&packedInitial != 0 {
		c.Initial = u.members()
	}
	for range u.count() {
		c.Nodes = append(c.Nodes, u.node(c))
	}
	for range u.count() {
		c.Replicas = append(c.Replicas, u.replica(c))
	}
	return copyOf(c)
}

// spec is the specification of a cluster, and the digest of its Raft configuration.
func (u *unpacker) spec(clusterID uint64) (*pb.ClusterSpec, uint64) {
	packed := u.text()
	s, known := u.specs[packed]
	if !known {
		s.spec = &pb.ClusterSpec{}
		if err := proto.Unmarshal([]byte(packed), s.spec); err != nil {
			u.fail("has a specification that can't be decoded")
			return nil, 0
		}
		s.digest = raftspec.Digest(s.spec.GetRaft())
		u.specs[packed] = s
	}
	return specOf(s.spec, clusterID), s.digest
}

func (u *unpacker) attempt() Attempt {
	return Attempt{Operation: u.number(), Failures: u.small(), Ended: u.number()}
}

func (u *unpacker) members() []Member {
	n := u.count()
	if n == 0 {
		return nil
	}
	members := make([]Member, n)
	for i := range members {
		members[i] = Member{NodeID: u.number(), Role: pb.MemberRole(u.small()), Address: u.text()}
	}
	return members
}

func (u *unpacker) node(c *Cluster) (n Node) {
	n.ID = u.number()
	bits := u.number()
	n.Asked, n.Unsure, n.Started = bits&packedAsked != 0, bits&packedUnsure != 0, bits&packedStarted != 0
	n.Join = pb.JoinMode_INITIAL
	if bits&packedObserver != 0 {
		n.Join = pb.JoinMode_JOIN_AS_OBSERVER
	}
	n.HostID = u.text()
	if bits&packedOfImage == 0 {
		n.Address = u.text()
	} else if member := c.Image.Member(n.ID); member != nil {
		n.Address = member.Address
	}
	if bits&packedFence != 0 {
		n.Fence, n.Relieves = u.number(), u.number()
	}
	n.MemberSince = u.number()
	if bits&packedStart != 0 {
		n.Start = u.attempt()
	}
	if bits&packedStops != 0 {
		n.Stops, n.RanSince = u.small(), u.number()
	}
	return n
}

func (u *unpacker) replica(c *Cluster) (r Replica) {
	r.NodeID = u.number()
	bits := u.number()
	r.Running, r.CaughtUp, r.Foreign = bits&packedRunning != 0, bits&packedCaughtUp != 0, bits&packedForeign != 0
	r.Role = pb.MemberRole(u.small())
	if bits&packedOfNode == 0 {
		r.HostID = u.text()
	} else if node := c.Node(r.NodeID); node != nil {
		r.HostID = node.HostID
	}
	r.Leader, r.Term = c.Leader, c.LeaderTerm
	if bits&packedOfCluster == 0 {
		r.Leader, r.Term = u.number(), u.number()
	}
	if r.RaftDigest = c.RaftDigest; bits&packedOfSpec == 0 {
		r.RaftDigest = u.number()
	}
	if r.CCID = c.Image.CCID; bits&packedCCID == 0 {
		r.CCID = u.number()
	}
	if bits&packedDestroy != 0 {
		r.Destroy = u.attempt()
	}
	return r
}

// SPDX-License-Identifier: Apache-2.0

package db

import (
	"cmp"
	"slices"

	"github.com/drumbeat-raft/drumbeat/drummer/db/ordmap"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// State is what DrummerDB knows at one index of its log. A published State,
// and everything it points to, is never modified; copying the struct is
// cheap and gives a snapshot.
type State struct {
	// Index is that of the last command applied.
	Index uint64
	// DeploymentID is 0 until the first SetDeployment, and from then on what
	// that said.
	DeploymentID uint64
	// DeploymentEpoch came with the DeploymentID and never changes. Of two
	// DrummerDBs of one deployment the one that was begun later has the larger.
	DeploymentEpoch uint64
	Launched        bool
	// Version is the newest whose commands may be applied; see SetVersion.
	Version uint32
	// Paused stops new decisions, for PauseReason.
	Paused      bool
	PauseReason string
	// TTL is the time to live that the last Tick carried, in ticks; 0: none.
	TTL uint64
	// Tick is the logical clock: how many Tick commands a leader has written.
	Tick uint64
	// Blown are the fuses that were last recorded as blown, in order.
	Blown []Fuse
	// Term is the leadership that may write, LeaderNodeID the server that
	// opened it (0 when a command carried the term in first).
	Term         uint64
	LeaderNodeID uint64
	// NextOperationID and NextEventSequence are larger than all ever given.
	NextOperationID   uint64
	NextEventSequence uint64

	// Hosts holds every NodeHost by NodeHost ID.
	Hosts ordmap.Map[string, *Host]
	// Addresses returns which NodeHost ID a RaftAddress belongs to now. That
	// host is not Gone; every other host of the address is.
	Addresses ordmap.Map[string, string]
	// Clusters holds every cluster that was defined or reported.
	Clusters ordmap.Map[uint64, *Cluster]
	// Tombstones hold what is left of clusters of which nothing is defined, placed or
	// reported any more, by ClusterID; none of them is in Clusters.
	Tombstones ordmap.Map[uint64, Tombstone]
	// Operations are those in flight, by ID. Each is referred to by exactly
	// one Attempt, and each Attempt in flight by one of these.
	Operations ordmap.Map[uint64, *pb.Operation]
	// Events are the newest, oldest first, at most MaxEvents.
	Events []*pb.Event

	// changed is how many clusters the command has touched that made this state. It is
	// no part of the replicated state.
	changed int
}

// Host is a NodeHost, as far as Drummer heard.
type Host struct {
	Info *pb.NodeHostInfo
	// Silent: the host was last heard of at the tick LastSeen, which is 0 otherwise:
	// it is heard of with every tick then. State.LastSeen has both.
	Silent   bool
	LastSeen uint64
	// Gone is set when another NodeHost ID was reported under this address:
	// the disk is lost, and with it every replica that was on it.
	Gone      bool
	GoneSince uint64 // tick; 0 unless Gone
	// Spoke is the tick at which it was last heard of though Gone; 0: never.
	Spoke uint64
	// Mode is what somebody decided about it.
	Mode pb.HostMode
	// Dead is set by the Tick that finds it unheard of for State.TTL, and
	// cleared when it is heard of again, at UpSince; Deaths counts these, until
	// the host has been up for calmTicks.
	Dead    bool
	UpSince uint64
	Deaths  uint32
	// Unconfirmed: all that is known of it is from a backup. It is asked for its
	// full state when it is heard of.
	Unconfirmed bool
	// DiskGeneration is the highest generation of its disk that DrummerDB was told of;
	// the leader may have heard of a higher one.
	DiskGeneration uint64
	// Placed counts the Nodes of all clusters whose HostID is this host, also those
	// that are doubtful.
	Placed int
	// Running counts the Replicas reported here that run; Replicas counts all, for each
	// cluster.
	Running  int
	Replicas ordmap.Map[uint64, int]
}

// ID is the NodeHost ID.
func (h *Host) ID() string { return h.Info.GetNodehostId() }

// Address is the RaftAddress.
func (h *Host) Address() string { return h.Info.GetRaftAddress() }

// Region is the host's region, ” when it has none.
func (h *Host) Region() string { return h.Info.GetRegion() }

// Cluster is one Raft cluster: what it should be, what it was last known to
// be, where its nodes were placed, and what hosts report of them.
type Cluster struct {
	ID uint64
	// Spec is nil for a cluster that hosts report but nobody defined: Drummer
	// leaves it alone. It is nil again after the cluster was Deleted: what is
	// left of it is removed, and the record kept for its NodeIDs.
	Spec    *pb.ClusterSpec
	Deleted bool
	// RaftDigest is the raftspec.Digest of Spec's Raft configuration.
	RaftDigest uint64
	// Image is the newest membership reported.
	Image Image
	// FirstNodeID is the first NodeID of the cluster's present life. Lower
	// ones belong to a placement that was given up, or to a deleted cluster
	// of the same ID; what they report says nothing about this one.
	FirstNodeID uint64
	// NextNodeID is larger than every NodeID ever placed or reported.
	NextNodeID uint64
	// Initial are the members the cluster was first placed with, by NodeID;
	// empty before that, and for a cluster that Drummer did not start.
	Initial []Member
	// Leader is the leader of the newest term that any replica of a placed node
	// follows, LeaderTerm that term; both 0 when none follows any. LeaderSince is
	// the tick at which that became known.
	Leader      uint64
	LeaderTerm  uint64
	LeaderSince uint64
	// ChangedAt is the index of the last command that changed anything here. A
	// decision made from an older index is stale.
	ChangedAt uint64
	// Config is the attempt at a membership change, or at a transfer of
	// leadership: at most one is in flight in a cluster.
	Config Attempt
	// JoinFailures counts the observers removed, since the last promotion,
	// without having been promoted; JoinFailed is the tick of the last.
	JoinFailures uint32
	JoinFailed   uint64
	// Nodes are those placed and not known to be removed, by NodeID. Every
	// member of Image has one.
	Nodes []Node
	// Replicas are what hosts that are not Gone report, by NodeID and HostID.
	Replicas []Replica
}

// Tombstone keeps the NodeIDs of a former cluster from being used again.
type Tombstone struct {
	NextNodeID uint64
	// Deleted: it was Drummer's. What turns up of it is removed.
	Deleted bool
}

// Image is a membership as of one config change.
type Image struct {
	// CCID is the config change index, 0 when no membership is known.
	CCID uint64
	// Members are sorted by NodeID, Removed too. No NodeID is in both.
	Members []Member
	Removed []uint64
}

// Member is a member of a Raft cluster.
type Member struct {
	NodeID  uint64
	Address string
	Role    pb.MemberRole
}

// Node is a Raft node that was placed on a host. It never moves: another
// host means another NodeID.
type Node struct {
	ID uint64
	// HostID is the NodeHost ID it was placed on; empty when it was adopted
	// from an image whose address belonged to no known host.
	HostID  string
	Address string
	// Join is how the node first joined, which every later start repeats.
	Join pb.JoinMode
	// Asked: its host was asked to start it, and may have done so. Unsure: so
	// it stays, even if the next try certainly fails. Started: it was seen
	// running, or its log on disk. A node that is not Asked has never run.
	Asked   bool
	Unsure  bool
	Started bool
	// Fence is the ccid that the node was added at; 0 for initial members.
	// Once the image is newer and does not list it, it never will.
	Fence uint64
	// Relieves is the healthy member it is to take over from; 0: none.
	Relieves uint64
	// MemberSince is the tick at which an image first listed it; 0: none yet.
	MemberSince uint64
	// Start is the attempt at starting it.
	Start Attempt
	// Stops counts how often in a row it stopped soon after it was started, and
	// RanSince is the tick at which it was last found to run after a start; 0: never.
	Stops    uint32
	RanSince uint64
}

// Replica is a Raft node as its host reports it: running, or at least with a
// log on disk.
type Replica struct {
	NodeID uint64
	HostID string
	Reported
	// Foreign: the membership it reported is of another Raft group than this
	// cluster. It counts for nothing and is left alone.
	Foreign bool
	// CCID is that of the newest membership this replica reported; 0: none.
	CCID uint64
	// Destroy is the attempt at removing it.
	Destroy Attempt
}

// Attempt is how it goes with one thing that Drummer wants to happen. The
// wait before the next try follows from Failures and Ended by the policy.
type Attempt struct {
	// Operation is the ID of the operation in flight, 0: none.
	Operation uint64
	// Failures counts the operations in a row that did not bring it about.
	Failures uint32
	// Ended is the tick at which the last one ended.
	Ended uint64
}

// InFlight reports whether an operation is being carried out.
func (a Attempt) InFlight() bool { return a.Operation != 0 }

// Node returns the placed node with the ID, or nil.
func (c *Cluster) Node(id uint64) *Node {
	i, ok := slices.BinarySearchFunc(c.Nodes, id, func(n Node, id uint64) int {
		return cmp.Compare(n.ID, id)
	})
	if !ok {
		return nil
	}
	return &c.Nodes[i]
}

// Replica returns what a host reports of a node, or nil.
func (c *Cluster) Replica(nodeID uint64, hostID string) *Replica {
	i, ok := c.findReplica(nodeID, hostID)
	if !ok {
		return nil
	}
	return &c.Replicas[i]
}

// follow works out the leader from what the replicas report. Terms only grow
// among members that can commit, so the newest is the one that counts: a leader
// that was cut off goes on in an older one, and a follower that was cut off
// follows nobody.
func (c *Cluster) follow() {
	c.Leader, c.LeaderTerm = 0, 0
	for i := range c.Replicas {
		if r := &c.Replicas[i]; !r.Foreign && r.Leader != 0 && r.Term > c.LeaderTerm && c.Node(r.NodeID) != nil {
			c.Leader, c.LeaderTerm = r.Leader, r.Term
		}
	}
}

// leads reports whether a leader is the one that follow finds.
func (c Cluster) leads(leader, term uint64) bool {
	c.follow()
	return c.Leader == leader && c.LeaderTerm == term
}

// Foreigner returns a replica that belongs to another Raft group, or nil.
func (c *Cluster) Foreigner() *Replica {
	i := slices.IndexFunc(c.Replicas, func(r Replica) bool { return r.Foreign })
	if i < 0 {
		return nil
	}
	return &c.Replicas[i]
}

// Follows reports whether a replica follows the cluster's present leader: as far
// as its host knows, it does not only run but works.
func (c *Cluster) Follows(r *Replica) bool {
	return c.Leader != 0 && r.Running && !r.Foreign && r.Leader == c.Leader && r.Term == c.LeaderTerm
}

// doubtful reports whether it is unknown that a node was added, or will
// be: its addition had no result, and no membership shows it. Should it turn
// out to be a member all the same, it is adopted like any other.
func (c *Cluster) doubtful(n *Node) bool {
	return n.Fence != 0 && c.Image.Member(n.ID) == nil && !n.Asked && !n.Started && !c.Config.InFlight()
}

func (c *Cluster) findReplica(nodeID uint64, hostID string) (int, bool) {
	return slices.BinarySearchFunc(c.Replicas, Replica{NodeID: nodeID, HostID: hostID}, compareReplicas)
}

func compareReplicas(a, b Replica) int {
	return cmp.Or(cmp.Compare(a.NodeID, b.NodeID), cmp.Compare(a.HostID, b.HostID))
}

// Member returns the member with the NodeID, or nil.
func (m *Image) Member(nodeID uint64) *Member {
	i, ok := slices.BinarySearchFunc(m.Members, nodeID, func(m Member, id uint64) int {
		return cmp.Compare(m.NodeID, id)
	})
	if !ok {
		return nil
	}
	return &m.Members[i]
}

// HasRemoved reports whether the node was removed and may never come back.
func (m *Image) HasRemoved(nodeID uint64) bool {
	_, ok := slices.BinarySearch(m.Removed, nodeID)
	return ok
}

// HasAddress reports whether a member lives at the RaftAddress.
func (m *Image) HasAddress(address string) bool {
	return slices.ContainsFunc(m.Members, func(m Member) bool { return m.Address == address })
}

// Voting reports whether a member of the role counts for the quorum.
func Voting(role pb.MemberRole) bool {
	return role == pb.MemberRole_VOTER || role == pb.MemberRole_WITNESS
}

// Voters counts the members that vote.
func (m *Image) Voters() int {
	n := 0
	for _, x := range m.Members {
		if Voting(x.Role) {
			n++
		}
	}
	return n
}

// Quorum is how many of so many voters are a majority.
func Quorum(voters int) int { return voters/2 + 1 }

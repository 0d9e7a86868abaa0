// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"cmp"
	"slices"
	"sync"

	"github.com/lni/dragonboat/v3"
	"google.golang.org/protobuf/proto"

	"github.com/drumbeat-raft/drumbeat/drummer/diskcheck"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// key names a Raft node.
type key struct{ cluster, node uint64 }

func compareKeys(a, b key) int {
	return cmp.Or(cmp.Compare(a.cluster, b.cluster), cmp.Compare(a.node, b.node))
}

// inventory knows what is on the NodeHost.
type inventory struct {
	nodehost *dragonboat.NodeHost
	disk     *diskcheck.Checker
	listener *Listener
	probes   *probes
	observer func(key) // is told of each running observer; may be nil
	removals *nodeSet  // nodes that are being removed

	mu sync.Mutex
	// logs are the nodes that have a log on disk, running or not. Reading
	// them from disk is done once a full report; between two, nodes come by
	// being started and go by being destroyed, both of which pass here.
	logs map[key]bool
}

func newInventory(nodehost *dragonboat.NodeHost, disk *diskcheck.Checker, listener *Listener, probes *probes) *inventory {
	return &inventory{nodehost: nodehost, disk: disk, listener: listener, probes: probes, logs: map[key]bool{}}
}

// reload reads from disk which nodes have a log, or had one that the disk has lost, or
// are not removed as a whole: Drummer asks for the removal of what it hears of.
// It returns false when the NodeHost is closed.
func (i *inventory) reload() bool {
	info := i.nodehost.GetNodeHostInfo(dragonboat.DefaultNodeHostInfoOption)
	if info == nil {
		return false
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	clear(i.logs)
	for _, node := range info.LogInfo {
		i.logs[key{node.ClusterID, node.NodeID}] = true
	}
	for cluster, nodes := range i.disk.Lost() {
		for _, node := range nodes {
			i.logs[key{cluster, node}] = true
		}
	}
	for _, k := range i.removals.all() {
		i.logs[k] = true
	}
	return true
}

// add says that a node's log is on the disk now.
func (i *inventory) add(k key) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.logs[k] = true
}

// forget says that a node's data is gone from the disk.
func (i *inventory) forget(k key) {
	i.mu.Lock()
	defer i.mu.Unlock()
	delete(i.logs, k)
}

// collect returns a report for each node on the host, without memberships; nil
// when the NodeHost is closed.
func (i *inventory) collect() map[key]*pb.NodeReport {
	info := i.nodehost.GetNodeHostInfo(dragonboat.NodeHostInfoOption{SkipLogInfo: true})
	if info == nil {
		return nil
	}
	reports := make(map[key]*pb.NodeReport, len(info.ClusterInfoList))
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, cluster := range info.ClusterInfoList {
		k := key{cluster.ClusterID, cluster.NodeID}
		i.logs[k] = true
		reports[k] = i.running(cluster)
	}
	for k := range i.logs {
		if reports[k] == nil {
			reports[k] = &pb.NodeReport{ClusterId: k.cluster, NodeId: k.node}
			i.probes.drop(k)
		}
	}
	return reports
}

func (i *inventory) running(cluster dragonboat.ClusterInfo) *pb.NodeReport {
	k := key{cluster.ClusterID, cluster.NodeID}
	report := &pb.NodeReport{
		ClusterId: cluster.ClusterID,
		NodeId:    cluster.NodeID,
		Running:   true,
		Role:      roleOf(cluster),

		RaftDigest: i.probes.raftDigest(k),
	}
	if leader, valid, err := i.nodehost.GetLeaderID(cluster.ClusterID); err == nil && valid {
		report.LeaderId = leader
		if info, ok := i.listener.leader(cluster.ClusterID, cluster.NodeID); ok && info.LeaderID == leader {
			report.Term = info.Term
		}
	}
	if report.LeaderId != 0 {
		i.probes.look(k, cluster.ConfigChangeIndex, report.Role == pb.MemberRole_OBSERVER)
	}
	if report.Role == pb.MemberRole_OBSERVER && i.observer != nil {
		i.observer(k)
	}
	report.CaughtUp = report.Role == pb.MemberRole_OBSERVER && i.probes.caughtUp(k)
	return report
}

// roleOf of a running node. A node that applied nothing yet doesn't know its own.
func roleOf(cluster dragonboat.ClusterInfo) pb.MemberRole {
	_, voter := cluster.Nodes[cluster.NodeID]
	switch {
	case cluster.Pending:
		return pb.MemberRole_MEMBER_ROLE_UNSPECIFIED
	case voter:
		return pb.MemberRole_VOTER
	case cluster.IsObserver:
		return pb.MemberRole_OBSERVER
	case cluster.IsWitness:
		return pb.MemberRole_WITNESS
	default:
		return pb.MemberRole_MEMBER_ROLE_UNSPECIFIED // removed, or never heard of itself
	}
}

// sent is what one server has been told so far on one stream.
type sent struct {
	reports map[key]*pb.NodeReport
	ccids   map[key]uint64 // of the last membership sent with a node
}

// full makes the first report of a stream, or one that was asked for.
func (s *sent) full(now map[key]*pb.NodeReport, probes *probes) []*pb.NodeReport {
	s.reports, s.ccids = now, make(map[key]uint64, len(now))
	nodes := make([]*pb.NodeReport, 0, len(now))
	for _, k := range sortedKeys(now) {
		nodes = append(nodes, s.withMembership(k, now[k], probes))
	}
	return nodes
}

// delta returns what changed since the last report, or nil.
func (s *sent) delta(now map[key]*pb.NodeReport, probes *probes) *pb.Delta {
	delta := &pb.Delta{}
	for _, k := range sortedKeys(now) {
		if proto.Equal(s.reports[k], now[k]) && probes.ccid(k) <= s.ccids[k] {
			continue
		}
		delta.Changed = append(delta.Changed, s.withMembership(k, now[k], probes))
	}
	for _, k := range sortedKeys(s.reports) {
		if now[k] == nil {
			delta.Gone = append(delta.Gone, &pb.NodeKey{ClusterId: k.cluster, NodeId: k.node})
			delete(s.ccids, k)
		}
	}
	s.reports = now
	if len(delta.Changed)+len(delta.Gone) == 0 {
		return nil
	}
	return delta
}

func (s *sent) withMembership(k key, report *pb.NodeReport, probes *probes) *pb.NodeReport {
	membership := probes.membership(k)
	if membership == nil || membership.GetConfigChangeId() <= s.ccids[k] {
		return report
	}
	s.ccids[k] = membership.GetConfigChangeId()
	copied := proto.Clone(report).(*pb.NodeReport)
	copied.Membership = membership
	return copied
}

func sortedKeys[V any](m map[key]V) []key {
	keys := make([]key, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, compareKeys)
	return keys
}

// SPDX-License-Identifier: Apache-2.0

package fleetsim

import (
	"fmt"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/raftspec"
)

const (
	// Replication is the number of members of each cluster.
	Replication = 3
	// HeavyHost is the host that carries HeavyNodes; all others carry the same
	// number of nodes, give or take one.
	HeavyHost  = 0
	HeavyNodes = 3000

	regions = 3
	racks   = 20
	term    = 1 // of every Raft group
)

// Fleet is a fleet in which every cluster is as specified. It is immutable.
type Fleet struct {
	Hosts    int
	Clusters int
	// members are the hosts of each cluster's members, by ClusterID - 1: the node
	// with NodeID n runs on the host with index n-1. leaders are the NodeIDs that lead.
	members [][Replication]int32
	leaders []uint8
	nodes   [][]uint32 // by host: the clusters that have a node there, in order
	digest  uint64     // of the Raft configuration that all nodes run with
}

// New places so many clusters on hosts, evenly but for the heavy one, which carries
// HeavyNodes where there are so many.
func New(hosts, clusters int) *Fleet {
	f := &Fleet{Hosts: hosts, Clusters: clusters, members: make([][Replication]int32, clusters), leaders: make([]uint8, clusters),
		nodes: make([][]uint32, hosts), digest: raftspec.Digest(nil)}
	led := make([]int, hosts)
	heavy := min(HeavyNodes, clusters)
	next := 1 + HeavyHost // the others take turns
	turn := func() int32 {
		h := next
		if next++; next == hosts {
			next = 1 + HeavyHost
		}
		return int32(h)
	}
	for i := range clusters {
		first := 0
		if i*heavy/clusters != (i+1)*heavy/clusters {
			f.members[i][0], first = HeavyHost, 1
		}
		for n := first; n < Replication; n++ {
			f.members[i][n] = turn()
		}
		if (i+1)%(hosts-1) == 0 {
			turn() // so that not always the same hosts share clusters
		}
		least := 0
		for n, h := range f.members[i] {
			f.nodes[h] = append(f.nodes[h], uint32(i))
			if led[h] < led[f.members[i][least]] {
				least = n
			}
		}
		led[f.members[i][least]]++
		f.leaders[i] = uint8(least + 1)
	}
	return f
}

// Nodes counts the nodes of the fleet.
func (f *Fleet) Nodes() int { return f.Clusters * Replication }

// HostID is the NodeHost ID of a host.
func HostID(host int) string { return fmt.Sprintf("nhid-%015d", 7_919_000_000_000+host) }

func address(host int32) string {
	return fmt.Sprintf("10.%d.%d.%d:63001", host>>16, host>>8&255, host&255)
}

// Info is a host's description of itself. The heavy one says that it can carry more.
func (f *Fleet) Info(host int) *pb.NodeHostInfo {
	info := &pb.NodeHostInfo{NodehostId: HostID(host), RaftAddress: address(int32(host)), ApiAddress: address(int32(host)),
		Region: fmt.Sprint("region-", host%regions), Labels: map[string]string{"rack": fmt.Sprint(host % racks)}}
	if host == HeavyHost && f.Hosts > 1 {
		others := (f.Nodes() - len(f.nodes[host])) / (f.Hosts - 1)
		info.Weight = uint32(max(100*len(f.nodes[host])/others, 100))
	}
	return info
}

// Specs are the specifications of the clusters with an index from first on, at most
// count of them. The ClusterID is the index and one.
func (f *Fleet) Specs(first, count int) []*pb.ClusterSpec {
	var specs []*pb.ClusterSpec
	for i := first; i < min(first+count, f.Clusters); i++ {
		specs = append(specs, &pb.ClusterSpec{ClusterId: uint64(i + 1), Application: "kv", Size: Replication})
	}
	return specs
}

// Report is the full state of a host, as its Hello and the report in the log have it.
func (f *Fleet) Report(host int) *pb.HostReport {
	r := &pb.HostReport{Host: f.Info(host), Full: true, Nodes: make([]*pb.NodeReport, len(f.nodes[host]))}
	for i, cluster := range f.nodes[host] {
		r.Nodes[i] = f.node(host, int(cluster))
		r.Nodes[i].Membership = f.membership(int(cluster))
	}
	return r
}

// Delta is a report of a host about one of its nodes: that a later term has begun
// under the same leader.
func (f *Fleet) Delta(host, node int, later uint64) *pb.HostReport {
	n := f.node(host, int(f.nodes[host][node%len(f.nodes[host])]))
	n.Term += later
	return &pb.HostReport{Host: &pb.NodeHostInfo{NodehostId: HostID(host)}, Nodes: []*pb.NodeReport{n}}
}

func (f *Fleet) node(host, cluster int) *pb.NodeReport {
	n := &pb.NodeReport{ClusterId: uint64(cluster + 1), Running: true, Role: pb.MemberRole_VOTER,
		LeaderId: uint64(f.leaders[cluster]), Term: term, RaftDigest: f.digest}
	for i, h := range f.members[cluster] {
		if int(h) == host {
			n.NodeId = uint64(i + 1)
		}
	}
	return n
}

func (f *Fleet) membership(cluster int) *pb.Membership {
	m := &pb.Membership{ClusterId: uint64(cluster + 1), ConfigChangeId: Replication, Voters: map[uint64]string{}}
	for i, h := range f.members[cluster] {
		m.Voters[uint64(i+1)] = address(h)
	}
	return m
}

// SPDX-License-Identifier: Apache-2.0

package server

import (
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// unknown reduces a report to what DrummerDB doesn't know yet; nil when that is
// nothing. A full report by a host that DrummerDB knows as it is becomes a
// delta.
func unknown(state *db.State, report *pb.HostReport) *pb.HostReport {
	host := state.Hosts.At(report.GetHost().GetNodehostId())
	known := host != nil && !host.Gone && !host.Unconfirmed && (!report.GetFull() || proto.Equal(host.Info, report.GetHost()))
	if !known {
		return report
	}
	out := &pb.HostReport{Host: report.GetHost()}
	for _, node := range report.GetNodes() {
		if isNews(state, host, node) {
			out.Nodes = append(out.Nodes, node)
		}
	}
	for _, gone := range report.GetGone() {
		c := state.Clusters.At(gone.GetClusterId())
		if c != nil && c.Replica(gone.GetNodeId(), host.ID()) != nil || contradicted(gone, report.GetNodes()) {
			out.Gone = append(out.Gone, gone)
		}
	}
	if report.GetFull() {
		out.Gone = unlisted(state, host, report.GetNodes())
	}
	if len(out.Nodes)+len(out.Gone) == 0 {
		return nil
	}
	return out
}

// contradicted reports whether a report says of a node both that it is there and
// that it is gone. No agent does; DrummerDB takes the second for true.
func contradicted(gone *pb.NodeKey, nodes []*pb.NodeReport) bool {
	return slices.ContainsFunc(nodes, func(n *pb.NodeReport) bool {
		return n.GetClusterId() == gone.GetClusterId() && n.GetNodeId() == gone.GetNodeId()
	})
}

// unlisted are the replicas that DrummerDB has on a host and a full report has
// not.
func unlisted(state *db.State, host *db.Host, nodes []*pb.NodeReport) []*pb.NodeKey {
	listed := make(map[[2]uint64]bool, len(nodes))
	for _, node := range nodes {
		listed[[2]uint64{node.GetClusterId(), node.GetNodeId()}] = true
	}
	var gone []*pb.NodeKey
	for clusterID := range host.Replicas.All() {
		for _, replica := range state.Clusters.At(clusterID).Replicas {
			if replica.HostID == host.ID() && !listed[[2]uint64{clusterID, replica.NodeID}] {
				gone = append(gone, &pb.NodeKey{ClusterId: clusterID, NodeId: replica.NodeID})
			}
		}
	}
	return gone
}

// isNews reports whether what a host says of a node differs from what DrummerDB
// has of it. That a node follows another leader, or none, always does.
func isNews(state *db.State, host *db.Host, node *pb.NodeReport) bool {
	cluster := state.Clusters.At(node.GetClusterId())
	if cluster == nil {
		return true
	}
	replica := cluster.Replica(node.GetNodeId(), host.ID())
	if replica == nil || replica.Reported != db.ReportedBy(node, state.Version) {
		return true
	}
	m := node.GetMembership()
	return m != nil && (m.GetConfigChangeId() != replica.CCID || m.GetConfigChangeId() > cluster.Image.CCID)
}

// batches splits reports into commands of a bounded size. A full report that is
// too large goes on as deltas.
func batches(term uint64, reports []*pb.HostReport) []*pb.Command {
	const maxNodes = 20_000
	var commands []*pb.Command
	current, size := &pb.HostReports{Term: term}, 0
	flush := func() {
		if len(current.Reports) > 0 {
			commands = append(commands, &pb.Command{Body: &pb.Command_Reports{Reports: current}})
			current, size = &pb.HostReports{Term: term}, 0
		}
	}
	for _, report := range reports {
		for len(report.GetNodes()) > maxNodes {
			flush()
			head := &pb.HostReport{Host: report.GetHost(), Full: report.GetFull(), Nodes: report.Nodes[:maxNodes]}
			current.Reports = append(current.Reports, head)
			report = &pb.HostReport{Host: report.GetHost(), Nodes: report.Nodes[maxNodes:], Gone: report.GetGone()}
			flush()
		}
		if size+len(report.GetNodes()) > maxNodes {
			flush()
		}
		current.Reports = append(current.Reports, report)
		size += len(report.GetNodes()) + len(report.GetGone()) + 1
	}
	flush()
	return commands
}

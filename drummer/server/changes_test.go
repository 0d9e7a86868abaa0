// SPDX-License-Identifier: Apache-2.0

package server

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// apply adds commands to a state, from the index after it.
func apply(t require.TestingT, state *db.State, cmds ...*pb.Command) *db.State {
	for _, cmd := range cmds {
		data, err := proto.Marshal(cmd)
		require.NoError(t, err)
		next, result := db.Apply(state, state.Index+1, data)
		require.Equal(t, pb.CommandCode_APPLIED, result.GetCode(), result.GetDetail())
		state = next
	}
	return state
}

func host(i int) *pb.NodeHostInfo {
	return &pb.NodeHostInfo{NodehostId: fmt.Sprint("nhid-", i), RaftAddress: fmt.Sprint("raft-", i)}
}

// drawNodes draws what a host may report of a few nodes.
func drawNodes(t *rapid.T) []*pb.NodeReport {
	var nodes []*pb.NodeReport
	for cluster := uint64(1); cluster <= 3; cluster++ {
		for node := uint64(1); node <= 2; node++ {
			if !rapid.Bool().Draw(t, "listed") {
				continue
			}
			report := &pb.NodeReport{ClusterId: cluster, NodeId: node, Running: rapid.Bool().Draw(t, "running")}
			if report.Running {
				report.Role = rapid.SampledFrom([]pb.MemberRole{pb.MemberRole_VOTER, pb.MemberRole_OBSERVER}).Draw(t, "role")
				report.CaughtUp = report.Role == pb.MemberRole_OBSERVER && rapid.Bool().Draw(t, "caught up")
				report.Term = rapid.Uint64Range(0, 3).Draw(t, "term")
				report.LeaderId = rapid.Uint64Range(0, 1).Draw(t, "led") * (report.Term%2 + 1)
			}
			if ccid := rapid.Uint64Range(0, 3).Draw(t, "ccid"); ccid > 0 {
				report.Membership = &pb.Membership{ClusterId: cluster, ConfigChangeId: ccid,
					Voters: map[uint64]string{1: "raft-1", 1 + ccid%2: "raft-2"}}
			}
			nodes = append(nodes, report)
		}
	}
	return nodes
}

// picture is what DrummerDB knows of hosts and clusters, without the indexes
// and ticks that differ when commands are left out.
func picture(state *db.State) string {
	out := ""
	for id, h := range state.Hosts.All() {
		out += fmt.Sprintf("%s %s gone=%t\n", id, h.Info, h.Gone)
	}
	for id, c := range state.Clusters.All() {
		out += fmt.Sprintf("%d ccid=%d members=%v leader=%d@%d replicas=%v\n", id, c.Image.CCID, c.Image.Members, c.Leader, c.LeaderTerm, c.Replicas)
	}
	return out
}

// Leaving out what DrummerDB knows already changes nothing of what it knows in
// the end, for any history of reports.
func TestNewsIsEnough(t *testing.T) {
	leftOut := 0
	rapid.Check(t, func(t *rapid.T) {
		raw, filtered := db.NewState(), db.NewState()
		var last *pb.HostReport
		for range rapid.IntRange(1, 15).Draw(t, "reports") {
			report := &pb.HostReport{Host: host(rapid.IntRange(1, 2).Draw(t, "host")), Full: rapid.Bool().Draw(t, "full"), Nodes: drawNodes(t)}
			if report.Full && rapid.IntRange(0, 9).Draw(t, "wiped") == 0 {
				report.Host.NodehostId += "-wiped"
			}
			if !report.Full {
				for _, node := range drawNodes(t) {
					report.Gone = append(report.Gone, &pb.NodeKey{ClusterId: node.GetClusterId(), NodeId: node.GetNodeId()})
				}
			}
			if last != nil && rapid.Bool().Draw(t, "the same again") {
				report = last
			}
			last = report
			raw = apply(t, raw, batches(1, []*pb.HostReport{report})...)
			if reduced := unknown(filtered, report); reduced != nil {
				filtered = apply(t, filtered, batches(1, []*pb.HostReport{reduced})...)
			} else {
				leftOut++
			}
			require.Equal(t, picture(raw), picture(filtered))
		}
	})
	require.NotZero(t, leftOut, "no report was left out as known")
}

// A host that attaches again with nothing new to say costs the log nothing.
func TestKnownStateIsNoNews(t *testing.T) {
	nodes := []*pb.NodeReport{
		{ClusterId: 1, NodeId: 1, Running: true, Role: pb.MemberRole_VOTER, LeaderId: 1, Term: 2,
			Membership: &pb.Membership{ClusterId: 1, ConfigChangeId: 3, Voters: map[uint64]string{1: "raft-1"}}},
		{ClusterId: 2, NodeId: 5},
	}
	full := &pb.HostReport{Host: host(1), Full: true, Nodes: nodes}
	state := apply(t, db.NewState(), batches(1, []*pb.HostReport{full})...)
	require.Nil(t, unknown(state, full))
	lost := proto.Clone(nodes[0]).(*pb.NodeReport)
	lost.LeaderId, lost.Term = 0, 0
	require.NotNil(t, unknown(state, &pb.HostReport{Host: host(1), Nodes: []*pb.NodeReport{lost}}), "that a node follows no leader any more is news")
	moved := proto.Clone(full).(*pb.HostReport)
	moved.Host.ApiAddress = "elsewhere"
	require.NotNil(t, unknown(state, moved))
}

func TestLargeReportsAreSplit(t *testing.T) {
	report := &pb.HostReport{Host: host(1), Full: true, Gone: []*pb.NodeKey{{ClusterId: 1, NodeId: 9}}}
	for i := range uint64(45_000) {
		report.Nodes = append(report.Nodes, &pb.NodeReport{ClusterId: i + 1, NodeId: 1})
	}
	commands := batches(7, []*pb.HostReport{report, {Host: host(2), Full: true}})
	require.Len(t, commands, 3)
	nodes := 0
	for i, cmd := range commands {
		require.Equal(t, uint64(7), cmd.GetReports().GetTerm())
		for _, r := range cmd.GetReports().GetReports() {
			require.Equal(t, i == 0 || r.GetHost().GetNodehostId() == "nhid-2", r.GetFull())
			nodes += len(r.GetNodes())
		}
	}
	require.Equal(t, 45_000, nodes)
	require.Nil(t, batches(7, nil))
}

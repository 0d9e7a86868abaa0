// SPDX-License-Identifier: Apache-2.0

package schedule

import (
	"bytes"
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// fleetOf makes a deployment in which every cluster runs as specified, by the
// commands that would have led there.
func fleetOf(b *testing.B, hosts, clusters int, places func(*pb.ClusterSpec)) *db.State {
	s := db.NewState()
	apply := func(cmd *pb.Command) {
		data, err := proto.Marshal(cmd)
		if err != nil {
			b.Fatal(err)
		}
		var r *pb.CommandResult
		if s, r = db.Apply(s, s.Index+1, data); r.Code != pb.CommandCode_APPLIED {
			b.Fatal(r.Detail)
		}
	}
	reports := make([]*pb.HostReport, hosts)
	for i := range reports {
		name := fmt.Sprintf("host-%03d", i)
		reports[i] = &pb.HostReport{Full: true, Host: &pb.NodeHostInfo{NodehostId: name, RaftAddress: name + ":1",
			Region: fmt.Sprint(i % 3), Labels: map[string]string{"rack": fmt.Sprint(i % 20)}}}
	}
	define := &pb.DefineClusters{}
	for id := 1; id <= clusters; id++ {
		spec := &pb.ClusterSpec{ClusterId: uint64(id), Application: "kv", Size: 3}
		places(spec)
		define.Specs = append(define.Specs, spec)
		members := map[uint64]string{}
		for n := range 3 {
			members[uint64(n+1)] = fmt.Sprintf("host-%03d:1", (id+n*7)%hosts)
		}
		for n := range 3 {
			h := reports[(id+n*7)%hosts]
			h.Nodes = append(h.Nodes, &pb.NodeReport{ClusterId: uint64(id), NodeId: uint64(n + 1), Running: true,
				Role: pb.MemberRole_VOTER, LeaderId: 1, Term: 1,
				Membership: &pb.Membership{ConfigChangeId: 3, Voters: members}})
		}
	}
	apply(&pb.Command{Body: &pb.Command_DefineClusters{DefineClusters: define}})
	apply(&pb.Command{Body: &pb.Command_SetLaunched{SetLaunched: &pb.SetLaunched{}}})
	for _, r := range reports {
		apply(&pb.Command{Body: &pb.Command_Reports{Reports: &pb.HostReports{Term: 1, Reports: []*pb.HostReport{r}}}})
	}
	return s
}

var sizes = []struct{ hosts, clusters int }{{6, 1_000}, {300, 100_000}}

func eachSize(b *testing.B, run func(b *testing.B, s *db.State)) {
	eachSizePlaced(b, func(*pb.ClusterSpec) {}, run)
}

func eachSizePlaced(b *testing.B, places func(*pb.ClusterSpec), run func(b *testing.B, s *db.State)) {
	for _, size := range sizes {
		b.Run(fmt.Sprintf("hosts=%d/clusters=%d", size.hosts, size.clusters), func(b *testing.B) {
			s := fleetOf(b, size.hosts, size.clusters, places)
			b.ReportAllocs()
			b.ResetTimer()
			run(b, s)
		})
	}
}

// BenchmarkDecideNothing is what a steady deployment costs at each tick.
func BenchmarkDecideNothing(b *testing.B) {
	eachSize(b, decideNothing)
}

func decideNothing(b *testing.B, s *db.State) {
	for b.Loop() {
		if plan := Decide(s, DefaultPolicy(), 1); len(plan.Operations) > 0 {
			b.Fatalf("there was something to do: %v", plan.Operations[0])
		}
	}
}

// BenchmarkDecideNothingPlaced is the same when every cluster says where its
// members should live, and has them there.
func BenchmarkDecideNothingPlaced(b *testing.B) {
	eachSizePlaced(b, func(spec *pb.ClusterSpec) {
		spec.SpreadOver = "rack"
		spec.Regions = map[string]uint32{"0": 1, "1": 1, "2": 1}
	}, decideNothing)
}

// BenchmarkDecideNothingBetter is the same when no cluster has what it asks
// for, and nothing can be done about it.
func BenchmarkDecideNothingBetter(b *testing.B) {
	eachSizePlaced(b, func(spec *pb.ClusterSpec) {
		spec.Regions = map[string]uint32{"elsewhere": 1}
	}, decideNothing)
}

// BenchmarkTick is a tick in which nothing happens.
func BenchmarkTick(b *testing.B) {
	eachSize(b, func(b *testing.B, s *db.State) {
		data, err := proto.Marshal(&pb.Command{Body: &pb.Command_Tick{Tick: &pb.Tick{Term: 1, TimeToLive: 15}}})
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			s, _ = db.Apply(s, s.Index+1, data)
		}
	})
}

// BenchmarkSnapshot writes and restores a whole state.
func BenchmarkSnapshot(b *testing.B) {
	eachSize(b, func(b *testing.B, s *db.State) {
		var saved bytes.Buffer
		for b.Loop() {
			saved.Reset()
			if err := db.WriteSnapshot(s, &saved); err != nil {
				b.Fatal(err)
			}
			if _, err := db.ReadSnapshot(bytes.NewReader(saved.Bytes())); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(saved.Len()), "snapshot-bytes")
	})
}

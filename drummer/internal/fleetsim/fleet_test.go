// SPDX-License-Identifier: Apache-2.0

package fleetsim

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule"
)

// What the figures are measured on is a fleet in which Drummer has nothing to do.
func TestNothingIsToDoInAFleet(t *testing.T) {
	f := New(20, 6000)
	s := db.NewState()
	apply := func(cmd *pb.Command) {
		data, err := proto.Marshal(cmd)
		require.NoError(t, err)
		var r *pb.CommandResult
		s, r = db.Apply(s, s.Index+1, data)
		require.Equal(t, pb.CommandCode_APPLIED, r.GetCode(), r.GetDetail())
	}
	apply(&pb.Command{Body: &pb.Command_SetVersion{SetVersion: &pb.SetVersion{Version: db.Version}}})
	apply(&pb.Command{Body: &pb.Command_DefineClusters{DefineClusters: &pb.DefineClusters{Specs: f.Specs(0, f.Clusters)}}})
	apply(&pb.Command{Body: &pb.Command_SetLaunched{SetLaunched: &pb.SetLaunched{}}})
	for host := range f.Hosts {
		r := f.Report(host)
		if host == HeavyHost {
			require.Len(t, r.Nodes, HeavyNodes)
		} else {
			require.InDelta(t, (f.Nodes()-HeavyNodes)/(f.Hosts-1), len(r.Nodes), 2)
		}
		apply(&pb.Command{Body: &pb.Command_Reports{Reports: &pb.HostReports{Term: 1, Reports: []*pb.HostReport{r}}}})
	}
	for range schedule.DefaultPolicy().BalanceCalm + 1 {
		apply(&pb.Command{Body: &pb.Command_Tick{Tick: &pb.Tick{Term: 1, TimeToLive: schedule.DefaultPolicy().TTL}}})
	}
	plan := schedule.Decide(s, schedule.DefaultPolicy(), 1)
	require.Empty(t, plan.Operations)
	require.Empty(t, plan.Waiting())
}

// SPDX-License-Identifier: Apache-2.0

package db

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// That an index follows its states is also a part of the random histories of package
// schedule.

// located is a state with so many clusters of one member, in turn on three hosts.
func located(t *testing.T, clusters int) *State {
	s := NewState()
	s = applied(t, s, &pb.Command{Body: &pb.Command_SetVersion{SetVersion: &pb.SetVersion{Version: Version}}})
	for h := range 3 {
		at := fmt.Sprint("h", h)
		r := &pb.HostReport{Full: true, Host: &pb.NodeHostInfo{NodehostId: at, RaftAddress: at + ":1", ApiAddress: at + ":2"}}
		for c := h; c < clusters; c += 3 {
			r.Nodes = append(r.Nodes, &pb.NodeReport{ClusterId: uint64(c + 1), NodeId: 1, Running: true, Role: pb.MemberRole_VOTER, LeaderId: 1, Term: 1,
				Membership: &pb.Membership{ConfigChangeId: 1, Voters: map[uint64]string{1: at + ":1"}}})
		}
		s = applied(t, s, &pb.Command{Body: &pb.Command_Reports{Reports: &pb.HostReports{Reports: []*pb.HostReport{r}}}})
	}
	return s
}

func applied(t *testing.T, s *State, cmd *pb.Command) *State {
	data, err := proto.Marshal(cmd)
	require.NoError(t, err)
	next, result := Apply(s, s.Index+1, data)
	require.Equal(t, pb.CommandCode_APPLIED, result.Code, result.Detail)
	return next
}

func silent(t *testing.T, s *State, id string) *State {
	return applied(t, s, &pb.Command{Body: &pb.Command_Tick{Tick: &pb.Tick{TimeToLive: 15, Silent: []*pb.SilentHost{{NodehostId: id, Ticks: 1}}}}})
}

func TestAnIndexFollowsItsHosts(t *testing.T) {
	const ttl = 15
	s, x := located(t, 9), NewIndex(ttl)
	require.True(t, x.Locate(s, 1).Available)
	require.Nil(t, x.Locate(s, 10))
	s = silent(t, s, "h0")
	for x.Locate(s, 1).Available { // until it is dead, by the passing of time alone
		require.Less(t, s.Tick, uint64(ttl+1))
		s = applied(t, s, &pb.Command{Body: &pb.Command_Tick{Tick: &pb.Tick{TimeToLive: 15}}})
	}
	require.Equal(t, uint64(ttl), s.Tick)
	require.True(t, x.Locate(s, 2).Available)
	s = applied(t, s, &pb.Command{Body: &pb.Command_Tick{Tick: &pb.Tick{TimeToLive: 15, Heard: []string{"h0"}}}})
	require.True(t, x.Locate(s, 1).Available)
	for id := range uint64(11) {
		want := (*pb.ClusterLocation)(nil)
		if c := s.Clusters.At(id); c != nil {
			want = s.Location(c, ttl)
		}
		require.True(t, proto.Equal(want, x.Locate(s, id)))
	}
}

// Clusters come and go while many read.
func TestAnIndexIsReadWhileItGrows(t *testing.T) {
	x := NewIndex(15)
	small, large := located(t, 10), located(t, 1000)
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for i := range 2000 {
				s := small
				if i%100 == 0 {
					s = large
				}
				if l := x.Locate(s, uint64(i%10+1)); l.GetClusterId() != uint64(i%10+1) || !l.GetAvailable() {
					t.Errorf("cluster %d is at %v", i%10+1, l)
				}
			}
		})
	}
	readers.Wait()
	require.Nil(t, x.Locate(small, 11))
	require.True(t, x.Locate(large, 1000).Available)
}

// SPDX-License-Identifier: Apache-2.0

package server

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

func TestEventsAreSelected(t *testing.T) {
	state := db.NewState()
	state.Tick = 100
	for i := range uint64(10) {
		state.Events = append(state.Events, &pb.Event{Sequence: i + 1, Tick: 90 + i, ClusterId: i % 2, NodehostId: "h", Kind: []string{"a", "b", "c"}[i%3]})
	}
	for name, c := range map[string]struct {
		req   *pb.ListEventsRequest
		limit int
		want  []uint64
	}{
		"the oldest first":            {&pb.ListEventsRequest{}, 3, []uint64{1, 2, 3}},
		"the newest first":            {&pb.ListEventsRequest{NewestFirst: true}, 3, []uint64{10, 9, 8}},
		"after one, the newest first": {&pb.ListEventsRequest{NewestFirst: true, AfterSequence: 8}, 3, []uint64{10, 9}},
		"before one":                  {&pb.ListEventsRequest{BeforeSequence: 3}, 9, []uint64{1, 2}},
		"of the last three seconds":   {&pb.ListEventsRequest{SinceNs: int64(3 * time.Second)}, 9, []uint64{8, 9, 10}},
		"of all time":                 {&pb.ListEventsRequest{SinceNs: int64(time.Hour)}, 2, []uint64{1, 2}},
		"of two kinds":                {&pb.ListEventsRequest{Kinds: []string{"a", "c"}}, 9, []uint64{1, 3, 4, 6, 7, 9, 10}},
		"of a cluster":                {&pb.ListEventsRequest{ClusterId: 1, Kinds: []string{"a"}}, 9, []uint64{4, 10}},
		"of another host":             {&pb.ListEventsRequest{NodehostId: "g"}, 9, nil},
	} {
		var got []uint64
		for _, e := range selectEvents(state, c.req, c.limit, time.Second) {
			got = append(got, e.GetSequence())
		}
		require.Equal(t, c.want, got, name)
	}
}

func TestTheNewestRefusalOfAnUnfinishedClusterIsFound(t *testing.T) {
	state := db.NewState()
	ended := func(sequence, cluster uint64, code pb.ResultCode) {
		state.Events = append(state.Events, &pb.Event{Sequence: sequence, Kind: pb.EventOperationEnded, ClusterId: cluster, Code: code})
	}
	ended(1, 1, pb.ResultCode_REFUSED)
	ended(2, 1, pb.ResultCode_FAILED)
	ended(3, 1, pb.ResultCode_DONE)
	ended(4, 2, pb.ResultCode_REFUSED)
	spec := &pb.ClusterSpec{Size: 3}
	lacking := &pb.ClusterLocation{ClusterId: 1, Spec: spec, WaitingFor: "a host"}
	whole := &pb.ClusterLocation{ClusterId: 2}
	explainRefusals(state, []*pb.ClusterLocation{lacking, whole})
	require.Equal(t, uint64(2), lacking.GetLastRefusal().GetSequence())
	require.Nil(t, whole.GetLastRefusal())
}

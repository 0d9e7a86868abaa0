// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"testing"

	"github.com/lni/dragonboat/v3"
	"github.com/lni/dragonboat/v3/statemachine"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// forgetfulGroup applies schedules and loses the answer.
type forgetfulGroup struct{ *memoryGroup }

func (g *forgetfulGroup) propose(ctx context.Context, command []byte) (statemachine.Result, error) {
	result, err := g.memoryGroup.propose(ctx, command)
	cmd := &pb.Command{}
	if proto.Unmarshal(command, cmd) == nil && cmd.GetSchedule() != nil {
		return statemachine.Result{}, dragonboat.ErrTimeout
	}
	return result, err
}

// requestsOf are the requests that wait in the streams.
func requestsOf(streams []*hostStream) (requests []*pb.Request) {
	for _, stream := range streams {
		for _, message := range stream.take() {
			if r := message.GetRequest(); r != nil {
				requests = append(requests, r)
			}
		}
	}
	return requests
}

// An operation is pushed once, whether or not the answer to the proposal that
// brought it into flight arrives.
func TestOperationsArePushedThoughTheAnswerIsLost(t *testing.T) {
	w := newMemoryServer(t, newBase(t))
	var streams []*hostStream
	for _, host := range []string{"A", "B", "C", "D"} {
		stream, _ := w.leadership.join(host, "at "+host)
		streams = append(streams, stream)
	}
	w.server.group = &forgetfulGroup{w.group}
	require.NoError(t, w.leadership.schedule(w.ctx))
	require.Equal(t, 3, w.group.state.Operations.Len(), "cluster 2 is placed")
	require.Empty(t, requestsOf(streams))
	w.server.group = w.group
	require.NoError(t, w.leadership.schedule(w.ctx))
	requests := requestsOf(streams)
	require.Len(t, requests, 3)
	for _, r := range requests {
		require.Equal(t, w.leadership.term, r.GetLeaderTerm())
		require.NotNil(t, w.group.state.Operations.At(r.GetOperationId()))
	}
	require.NoError(t, w.leadership.schedule(w.ctx))
	require.Empty(t, requestsOf(streams))
}

// What a former leader had begun is asked for by its successor in its own term: a host
// that has heard of the newer term heeds no other.
func TestWhatAFormerLeaderBeganIsAskedForInTheNewTerm(t *testing.T) {
	w := newMemoryServer(t, newBase(t))
	require.NoError(t, w.leadership.schedule(w.ctx))
	require.Equal(t, 3, w.group.state.Operations.Len(), "cluster 2 is placed")
	const newer = 3
	data, err := proto.Marshal(&pb.Command{Body: &pb.Command_TakeLeadership{TakeLeadership: &pb.TakeLeadership{Term: newer, ServerNodeId: 2}}})
	require.NoError(t, err)
	_, err = w.group.propose(w.ctx, data)
	require.NoError(t, err)

	l := w.leadership
	l.term, l.pushed = newer, 0
	var streams []*hostStream
	for _, host := range []string{"A", "B", "C", "D"} {
		stream, _ := l.join(host, "at "+host)
		streams = append(streams, stream)
	}
	l.pushNew(w.group.state)
	requests := requestsOf(streams)
	require.Len(t, requests, 3)
	for _, r := range requests {
		require.Equal(t, uint64(newer), r.GetLeaderTerm())
		require.Less(t, w.group.state.Operations.At(r.GetOperationId()).GetRequest().GetLeaderTerm(), uint64(newer), "who decided it stays on record")
	}
}

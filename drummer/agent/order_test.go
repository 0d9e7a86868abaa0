// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// notingStream keeps what is sent on it.
type notingStream struct {
	grpc.BidiStreamingClient[pb.AgentMessage, pb.ServerMessage]
	sent []*pb.AgentMessage
}

func (s *notingStream) Send(m *pb.AgentMessage) error {
	s.sent = append(s.sent, m)
	return nil
}

// The server hears what a request has led to before it hears of the end, and of ends in
// the order in which they were.
func TestWhatARequestLedToIsSaidBeforeItsResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, 1, 1)
		h := s.hosts[0]
		s.startMember(1, h)
		stream := &notingStream{}
		own := &session{agent: h.agent, stream: stream}
		own.sent.full(map[key]*pb.NodeReport{}, h.agent.probes) // it knows of no node yet
		h.agent.executor.mu.Lock()
		for _, id := range []uint64{9, 8} {
			h.agent.executor.finish(&pb.Request{}, &pb.RequestResult{OperationId: id})
		}
		h.agent.executor.mu.Unlock()
		require.NoError(t, own.report())
		require.Len(t, stream.sent, 3)
		require.Len(t, stream.sent[0].GetDelta().GetChanged(), 1, "first %v", stream.sent[0])
		require.EqualValues(t, 9, stream.sent[1].GetResult().GetOperationId())
		require.EqualValues(t, 8, stream.sent[2].GetResult().GetOperationId())
	})
}

// SPDX-License-Identifier: Apache-2.0

package server

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// What a host had said on a stream that broke may come after the Hello of its
// next one. It would be believed permanently: the agent sends no correction of
// what it has said right on the stream that stands.
func TestWhatComesLateOnAReplacedStreamIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newMemoryServer(t, newBase(t))
		info := &pb.NodeHostInfo{NodehostId: "D", RaftAddress: "d", Region: "r"}
		node := func(running bool) []*pb.NodeReport {
			return []*pb.NodeReport{{ClusterId: 1, NodeId: 9, Running: running, Role: pb.MemberRole_VOTER}}
		}
		hello := func(running bool) *pb.AgentMessage {
			return &pb.AgentMessage{Body: &pb.AgentMessage_Hello{Hello: &pb.Hello{Host: info, Nodes: node(running)}}}
		}
		runs := func() bool { return w.group.state.Clusters.At(1).Replica(9, "D").Running }
		take := func(facts ...fact) {
			_, err := w.leadership.writeFacts(w.ctx, facts)
			require.NoError(t, err)
		}
		older, _ := w.leadership.join("D", "at D")
		take(factOf(older, info, hello(false)))
		require.False(t, runs())
		late := &pb.AgentMessage{Body: &pb.AgentMessage_Delta{Delta: &pb.Delta{Changed: node(true)}}}
		take(factOf(older, info, late))
		require.True(t, runs(), "as long as the stream stands")

		newer, _ := w.leadership.join("D", "at D")
		take(factOf(newer, info, hello(false)))
		clear(w.leadership.heard)
		take(factOf(older, info, late))
		require.False(t, runs())
		require.Empty(t, w.leadership.heard, "nor is it a sign of life")
		w.leadership.leave("D", newer)
		take(factOf(older, info, late), factOf(newer, info, &pb.AgentMessage{}))
		require.False(t, runs(), "also when the newer one has ended since")
		require.Contains(t, w.leadership.heard, "D", "whose last words count")
	})
}

// A stream that says a host's NodeHost ID from another RaftAddress does not take its
// place.
func TestStreamFromElsewhereReplacesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newMemoryServer(t, newBase(t)).leadership
		first, _ := l.join("D", "at D")
		other, owner := l.join("D", "elsewhere")
		require.Nil(t, other)
		require.Equal(t, "at D", owner)
		require.False(t, first.isReplaced())
		again, _ := l.join("D", "at D")
		require.NotNil(t, again)
		require.True(t, first.isReplaced())
	})
}

// Every host is asked for everything once in auditTicks ticks, or in turn when
// there are more.
func TestHostsAreAskedForEverythingInTurn(t *testing.T) {
	for hosts, want := range map[int]int{3: 3 * 10, 60: 60 * 10, 300: 9*auditTicks + 1} {
		synctest.Test(t, func(t *testing.T) {
			w := newMemoryServer(t, newBase(t))
			for i := range hosts {
				w.leadership.join(fmt.Sprint(i), "somewhere")
			}
			asked := map[string]int{}
			for range 10 * auditTicks {
				time.Sleep(w.server.config.Tick)
				w.leadership.audit()
				for host, stream := range w.leadership.streams {
					asked[host] += len(stream.take())
				}
			}
			sum := 0
			for host := range w.leadership.streams {
				sum += asked[host]
				require.InDelta(t, want/hosts, asked[host], 1, "host %s", host)
			}
			require.InDelta(t, want, sum, float64(hosts))
			require.LessOrEqual(t, sum, 10*auditTicks)
		})
	}
}

// A host whose Hello waits for its turn is not asked to say everything once more: where a
// thousand attach at once, each would be.
func TestAHelloThatWaitsIsNotAskedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newMemoryServer(t, newBase(t))
		stream, _ := w.leadership.join("X", "at X")
		asked := func() bool {
			stream.hear(&pb.Heartbeat{})
			require.NoError(t, w.leadership.tick(w.ctx))
			return slices.ContainsFunc(stream.take(), func(m *pb.ServerMessage) bool { return m.GetSendFullState() != nil })
		}
		require.False(t, asked(), "DrummerDB does not know the host yet")
		hello := &pb.AgentMessage{Body: &pb.AgentMessage_Hello{Hello: &pb.Hello{Host: &pb.NodeHostInfo{NodehostId: "X"}}}}
		_, err := w.leadership.writeFacts(w.ctx, []fact{factOf(stream, hello.GetHello().GetHost(), hello)})
		require.NoError(t, err)
		require.True(t, asked(), "its Hello, which says no RaftAddress, was left out")
	})
}

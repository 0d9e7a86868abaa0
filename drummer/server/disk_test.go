// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// helloWithDisk is a Hello of a host whose disk has a generation.
func helloWithDisk(id string, generation uint64) *pb.AgentMessage {
	hello := helloOf(id)
	hello.GetHello().DiskGeneration = generation
	return hello
}

// A host whose disk is older than it was is found out, also when that was last heard
// of by a leader that is gone.
func TestAnOldCopyOfADiskIsFoundOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTrio(t, 3)
		leader := w.leader()
		time.Sleep(5 * time.Second) // until the log's version knows all there is
		// hello attaches with a generation, beats with another one for a moment, and ends.
		hello := func(generation, beat uint64) (newest uint64) {
			stream, answer, err := w.attach(leader, helloWithDisk("nhid-1", generation))
			require.NoError(t, err)
			require.NoError(t, stream.Send(&pb.AgentMessage{Body: &pb.AgentMessage_Heartbeat{Heartbeat: &pb.Heartbeat{DiskGeneration: beat}}}))
			time.Sleep(100 * time.Millisecond)
			require.NoError(t, stream.CloseSend())
			time.Sleep(100 * time.Millisecond)
			return answer.GetWelcome().GetDiskGeneration()
		}
		found := func() int {
			out, err := pb.NewDrummerClient(w.conn(leader)).ListEvents(w.context(10*time.Second), &pb.ListEventsRequest{Kinds: []string{pb.EventHostDiskOld}})
			require.NoError(t, err)
			return len(out.GetEvents())
		}
		require.EqualValues(t, 5, hello(5, 6))
		require.EqualValues(t, 6, hello(6, 9), "it is as new as it was")
		require.EqualValues(t, 0, hello(0, 0), "a program that knows no generations says nothing of its disk")
		require.Zero(t, found())

		require.EqualValues(t, 9, hello(8, 8), "the leader has heard of 9")
		require.Equal(t, 1, found())

		require.EqualValues(t, 9, hello(9, 12))
		time.Sleep(5 * time.Second) // until it is silent
		w.stop(leader)
		leader = w.leader()
		time.Sleep(5 * time.Second)
		require.EqualValues(t, 12, hello(10, 10), "DrummerDB knows of 12")
		require.Equal(t, 2, found())
		require.EqualValues(t, 12, hello(12, 13))
		require.Equal(t, 2, found())
	})
}

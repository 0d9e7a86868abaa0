// SPDX-License-Identifier: Apache-2.0

package peers

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

func newTestTable() *table {
	record := &record{own: "disk-1", save: func([]byte) error { return nil }, kept: kept{NodeID: 1, BootNs: 1, Incarnations: map[uint64]string{}}, begun: true}
	return newTable(&Config{NodeID: 1, Members: map[uint64]Peer{1: {"r1", "g1"}, 2: {"r2", "g2"}}}, record)
}

func merge(t *testing.T, b *table, list *pb.ServerList) {
	t.Helper()
	require.NoError(t, b.merge(list))
}

func says(id uint64, boot int64, beat uint64, address string) *pb.ServerList {
	return &pb.ServerList{Servers: []*pb.ServerInfo{{NodeId: id, Address: address, BootNs: boot, Beat: beat}}}
}

func TestNewestWordWins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestTable()
		require.False(t, b.alive(2, time.Second), "configured is not yet alive")
		merge(t, b, says(2, 5, 3, "new"))
		require.True(t, b.alive(2, time.Second))
		time.Sleep(2 * time.Second)
		merge(t, b, says(2, 5, 3, "new"))
		require.False(t, b.alive(2, time.Second), "the same word again is no sign of life")
		merge(t, b, says(2, 4, 9, "of an earlier boot"))
		require.Equal(t, "new", b.get(2).GetAddress())
		merge(t, b, says(2, 6, 1, "of a later boot"))
		require.Equal(t, "of a later boot", b.get(2).GetAddress())
	})
}

func TestOthersCantSpeakForThisServer(t *testing.T) {
	b := newTestTable()
	b.beat(false)
	merge(t, b, says(1, 1<<62, 9, "elsewhere"))
	require.Equal(t, "g1", b.get(1).GetAddress())
}

// A NodeID belongs to a disk: another one is believed when it has begun, which
// it can only after others have admitted it.
func TestWordsOfAnotherDiskAreIgnored(t *testing.T) {
	b := newTestTable()
	says := func(boot int64, incarnation string, begun bool) {
		merge(t, b, &pb.ServerList{Servers: []*pb.ServerInfo{
			{NodeId: 2, Address: "of " + incarnation, BootNs: boot, Incarnation: incarnation, Begun: begun}}})
	}
	says(5, "a", true)
	says(6, "b", false)
	require.Equal(t, "of a", b.get(2).GetAddress())
	require.Equal(t, "a", b.record.incarnation(2))
	says(7, "c", true)
	require.Equal(t, "of c", b.get(2).GetAddress())
	require.Equal(t, "c", b.record.incarnation(2))
	says(5, "a", true)
	require.Equal(t, "of c", b.get(2).GetAddress(), "an old rumour")
	require.Equal(t, "c", b.record.incarnation(2))
}

func TestBadWordsAreIgnored(t *testing.T) {
	b := newTestTable()
	merge(t, b, says(0, 1, 1, "a"))
	merge(t, b, says(3, 1, 1, ""))
	merge(t, b, says(3, 1, 1, string(make([]byte, maxID+1))))
	require.Nil(t, b.get(3))
	for id := range uint64(2 * maxPeers) {
		merge(t, b, says(id+10, 1, 1, "a"))
	}
	require.Len(t, b.peers, maxPeers)
}

func TestSilentServerIsForgottenUnlessConfigured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestTable()
		merge(t, b, says(3, 1, 1, "g3"))
		require.ElementsMatch(t, []string{"g2", "g3"}, b.others())
		time.Sleep(forgetAfter + time.Second)
		b.beat(false)
		require.ElementsMatch(t, []string{"g2"}, b.others())
		b.drop(1)
		require.NotNil(t, b.get(1))
	})
}

// The commands of a version are let into the log once all voters know them.
func TestVersionWaitsForEverybody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestTable()
		voters := map[uint64]string{1: "r1", 2: "r2"}
		tell := func(beat uint64, version uint32) {
			b.beat(false)
			b.own.Version = 2
			merge(t, b, &pb.ServerList{Servers: []*pb.ServerInfo{{NodeId: 2, Address: "g2", BootNs: 1, Beat: beat, Version: version}}})
			b.beat(false)
		}
		require.False(t, b.allKnow(1, voters, time.Second), "nobody spoke yet")
		tell(1, 1)
		require.True(t, b.allKnow(1, voters, time.Second))
		require.False(t, b.allKnow(2, voters, time.Second), "an older program votes")
		tell(2, 2)
		require.True(t, b.allKnow(2, voters, time.Second))
		time.Sleep(2 * time.Second)
		b.beat(false)
		require.False(t, b.allKnow(2, voters, time.Second), "one was not heard of lately")
		require.False(t, b.allKnow(1, nil, time.Second))
	})
}

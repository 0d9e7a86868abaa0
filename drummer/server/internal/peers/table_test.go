// SPDX-License-Identifier: Apache-2.0

package peers

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lni/dragonboat/v3"
	"github.com/stretchr/testify/require"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

func newTestTable() *table {
	record := &record{own: "disk-1", save: func([]byte) error { return nil }, kept: kept{NodeID: 1, BootNs: 1, Incarnations: map[uint64]string{}}, begun: true}
	config := &Config{NodeID: 1, Members: map[uint64]Peer{1: {"r1", "g1"}, 2: {"r2", "g2"}}}
	known := newKnown(config, record)
	known.update(&dragonboat.Membership{ConfigChangeID: 3, Nodes: map[uint64]string{1: "r1", 2: "r2"}, Observers: map[uint64]string{3: "r3"}})
	return newTable(config, record, known)
}

func merge(t *testing.T, b *table, list *pb.ServerList) {
	t.Helper()
	require.NoError(t, b.merge(list))
}

func says(id uint64, boot int64, beat uint64, address string) *pb.ServerList {
	return &pb.ServerList{Servers: []*pb.ServerInfo{{NodeId: id, RaftAddress: fmt.Sprint("r", id), Address: address, BootNs: boot, Beat: beat}}}
}

func TestNewestWordWins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestTable()
		require.False(t, b.alive(3, time.Second), "a member is not yet alive")
		merge(t, b, says(3, 5, 3, "new"))
		require.True(t, b.alive(3, time.Second))
		time.Sleep(2 * time.Second)
		merge(t, b, says(3, 5, 3, "new"))
		require.False(t, b.alive(3, time.Second), "the same word again is no sign of life")
		merge(t, b, says(3, 4, 9, "of an earlier boot"))
		require.Equal(t, "new", b.get(3).GetAddress())
		merge(t, b, says(3, 6, 1, "of a later boot"))
		require.Equal(t, "of a later boot", b.get(3).GetAddress())
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
			{NodeId: 3, RaftAddress: "r3", Address: "of " + incarnation, BootNs: boot, Incarnation: incarnation, Begun: begun}}})
	}
	says(5, "a", true)
	says(6, "b", false)
	require.Equal(t, "of a", b.get(3).GetAddress())
	require.Equal(t, "a", b.record.incarnation(3))
	says(7, "c", true)
	require.Equal(t, "of c", b.get(3).GetAddress())
	require.Equal(t, "c", b.record.incarnation(3))
	says(5, "a", true)
	require.Equal(t, "of c", b.get(3).GetAddress(), "an old rumour")
	require.Equal(t, "c", b.record.incarnation(3))
}

func TestBadWordsAreIgnored(t *testing.T) {
	b := newTestTable()
	merge(t, b, says(0, 1, 1, "a"))
	merge(t, b, says(3, 1, 1, ""))
	merge(t, b, says(3, 1, 1, string(make([]byte, maxID+1))))
	require.Nil(t, b.get(3))
	long := &pb.ServerList{Servers: make([]*pb.ServerInfo, maxPeers+1)}
	require.ErrorContains(t, b.merge(long), "over the limit")
}

// Whoever may call Exchange can't invent servers: neither in memory nor on disk.
func TestInventedServersAreNotRemembered(t *testing.T) {
	b := newTestTable()
	writes := 0
	b.record.save = func([]byte) error { writes++; return nil }
	for id := range uint64(2000) {
		list := says(id+10, 1, 1, "a")
		list.Servers[0].Incarnation = "invented"
		merge(t, b, list)
	}
	require.Len(t, b.peers, 2, "itself and who is configured")
	require.Empty(t, b.record.kept.Incarnations)
	require.Zero(t, writes)
	require.Equal(t, uint64(2000), b.known.refusals)
}

// Nor can a server be shown where it is not.
func TestServersAreNotBelievedAtForeignAddresses(t *testing.T) {
	b := newTestTable()
	foreign := says(2, 9, 9, "g2")
	foreign.Servers[0].RaftAddress = "elsewhere"
	merge(t, b, foreign)
	require.False(t, b.alive(2, time.Hour))
	merge(t, b, says(2, 9, 9, "elsewhere"))
	require.True(t, b.alive(2, time.Hour))
	require.Equal(t, "g2", b.get(2).GetAddress(), "as configured")
	foreign = says(3, 9, 9, "elsewhere")
	foreign.Servers[0].RaftAddress = "r2"
	merge(t, b, foreign)
	require.Nil(t, b.get(3))
}

// The disk of a voter is never another one.
func TestTheDiskOfAVoterStays(t *testing.T) {
	b := newTestTable()
	b.known.config.Raft = voters{2: "r2"}
	for boot, incarnation := range []string{"a", "invented"} {
		list := says(2, int64(boot+1), 1, "g2")
		list.Servers[0].Incarnation, list.Servers[0].Begun = incarnation, true
		merge(t, b, list)
	}
	require.Equal(t, "a", b.record.incarnation(2))
}

// voters is a Raft cluster of which nothing is asked but who votes.
type voters map[uint64]string

func (v voters) Voters() map[uint64]string { return v }

func (voters) Membership(context.Context) (*dragonboat.Membership, error) { panic("not asked") }
func (voters) AddObserver(context.Context, uint64, string, uint64) error  { panic("not asked") }
func (voters) AddVoter(context.Context, uint64, string, uint64) error     { panic("not asked") }
func (voters) Remove(context.Context, uint64, uint64) error               { panic("not asked") }
func (voters) TransferLeader(uint64) error                                { panic("not asked") }
func (voters) Readable(context.Context, time.Duration) bool               { panic("not asked") }

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
			merge(t, b, &pb.ServerList{Servers: []*pb.ServerInfo{{NodeId: 2, RaftAddress: "r2", Address: "g2", BootNs: 1, Beat: beat, Version: version}}})
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

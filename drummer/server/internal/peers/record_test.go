// SPDX-License-Identifier: Apache-2.0

package peers

import (
	"errors"
	"testing"

	"github.com/lni/dragonboat/v3"
	"github.com/lni/dragonboat/v3/config"
	"github.com/lni/goutils/vfs"
	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/drummer/internal/durable"
)

func recordOn(t *testing.T, disk vfs.FS, now int64) *record {
	t.Helper()
	require.NoError(t, disk.MkdirAll("/d", 0o755))
	r, err := openRecord(durable.In(config.NodeHostConfig{NodeHostDir: "/d", Expert: config.ExpertConfig{FS: disk}}, recordFile), "own", 1, 7, now)
	require.NoError(t, err)
	return r
}

// A server whose clock was set back is not taken for an earlier boot of itself.
func TestBootsGrowWhateverTheClockSays(t *testing.T) {
	disk := vfs.NewMem()
	require.Equal(t, int64(1000), recordOn(t, disk, 1000).kept.BootNs)
	require.Equal(t, int64(1001), recordOn(t, disk, 5).kept.BootNs)
	require.Equal(t, int64(1002), recordOn(t, disk, 1001).kept.BootNs)
	require.Equal(t, int64(2000), recordOn(t, disk, 2000).kept.BootNs)
}

func TestFirstIncarnationOfANodeIDStays(t *testing.T) {
	disk := vfs.NewMem()
	r := recordOn(t, disk, 1)
	require.NoError(t, r.learn(map[uint64]string{2: "a", 3: ""}))
	require.NoError(t, r.learn(map[uint64]string{2: "b"}))
	require.Equal(t, "a", r.incarnation(2))
	require.Empty(t, r.incarnation(3))

	known, err := r.admit(2, "b")
	require.NoError(t, err)
	require.Equal(t, "b", known, "nothing has begun here")
	require.False(t, r.begin(map[uint64]string{2: "a"}), "what the lost disk had said counts no more")
	require.True(t, r.begin(map[uint64]string{2: "b"}))
	known, err = r.admit(2, "c")
	require.NoError(t, err)
	require.Equal(t, "b", known)

	r = recordOn(t, disk, 1)
	_, err = r.resume(true)
	require.NoError(t, err)
	known, err = r.admit(2, "c")
	require.NoError(t, err)
	require.Equal(t, "b", known, "also after a restart")
	require.Error(t, r.replace(2, "a", "c"))
	require.NoError(t, r.replace(2, "b", "c"))
	require.Equal(t, "c", recordOn(t, disk, 1).incarnation(2))
	join, err := recordOn(t, disk, 1).resume(false)
	require.NoError(t, err)
	require.True(t, join, "as it was at first")
}

func TestWhatCantBeWrittenIsNotKnown(t *testing.T) {
	r := recordOn(t, vfs.NewMem(), 1)
	r.save = func([]byte) error { return errors.New("the disk is full") }
	require.Error(t, r.learn(map[uint64]string{2: "a"}))
	_, err := r.admit(2, "a")
	require.Error(t, err)
	require.Empty(t, r.incarnation(2))
	_, err = r.resume(false)
	require.Error(t, err)
	require.False(t, r.lost())
}

// A record that was filled with invented servers once is cleaned when it is known who
// the members are.
func TestInventedServersAreDroppedFromTheRecord(t *testing.T) {
	disk := vfs.NewMem()
	r := recordOn(t, disk, 1)
	heard := map[uint64]string{2: "configured", 3: "member"}
	for id := range uint64(maxRecorded - 2) {
		heard[id+10] = "invented"
	}
	require.NoError(t, r.learn(heard))
	k := newKnown(&Config{NodeID: 1, Members: map[uint64]Peer{1: {"r1", "g1"}, 2: {"r2", "g2"}}}, r)
	k.update(&dragonboat.Membership{ConfigChangeID: 3, Observers: map[uint64]string{3: "r3"}})
	require.Equal(t, map[uint64]string{2: "configured", 3: "member"}, recordOn(t, disk, 1).kept.Incarnations)
	require.NoError(t, r.learn(map[uint64]string{4: "added"}))
	k.update(&dragonboat.Membership{ConfigChangeID: 2})
	require.Equal(t, "added", r.incarnation(4), "an older membership says nothing")
}

func TestRecordIsBounded(t *testing.T) {
	r := recordOn(t, vfs.NewMem(), 1)
	heard := map[uint64]string{}
	for id := range uint64(maxRecorded) {
		heard[id+10] = "a"
	}
	require.NoError(t, r.learn(heard))
	require.ErrorContains(t, r.learn(map[uint64]string{9: "b"}), "more than 1024 servers")
	require.NoError(t, r.learn(heard), "nothing new")
}

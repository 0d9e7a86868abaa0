// SPDX-License-Identifier: Apache-2.0

package simnet

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lni/dragonboat/v3"
	"github.com/lni/dragonboat/v3/config"
	"github.com/lni/dragonboat/v3/logger"
	"github.com/lni/dragonboat/v3/statemachine"
	"github.com/lni/goutils/vfs"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	for _, name := range []string{"raft", "rsm", "transport", "dragonboat", "logdb", "config", "grpc", "raftpb", "settings", "server", "utils", "pebblekv"} {
		logger.GetLogger(name).SetLevel(logger.CRITICAL)
	}
	goleak.VerifyTestMain(m)
}

const raftCluster = 1

// trio is a Raft cluster of three nodes on three hosts.
type trio struct {
	t     *testing.T
	net   *Network
	hosts []*dragonboat.NodeHost // by NodeID-1
	disks [3]vfs.FS
	// prepare, if there is one, changes the configuration of a host before it starts.
	prepare func(id uint64, conf *config.NodeHostConfig)
}

func hostName(id uint64) string { return fmt.Sprintf("nh%d", id) }

// inTrio runs f in a bubble with a trio that has a leader.
func inTrio(t *testing.T, f func(t *testing.T, c *trio)) { inPreparedTrio(t, nil, f) }

func inPreparedTrio(t *testing.T, prepare func(id uint64, conf *config.NodeHostConfig), f func(t *testing.T, c *trio)) {
	synctest.Test(t, func(t *testing.T) {
		c := &trio{t: t, net: New(Config{Seed: 1}), hosts: make([]*dragonboat.NodeHost, 3), prepare: prepare}
		defer c.stop()
		for id := uint64(1); id <= 3; id++ {
			c.disks[id-1] = vfs.NewMem()
			c.start(id)
		}
		c.leader(1, 2, 3)
		f(t, c)
	})
}

func (c *trio) stop() {
	for _, nh := range c.hosts {
		if nh != nil {
			nh.Stop()
		}
	}
	c.net.Close()
}

func (c *trio) start(id uint64) {
	members := map[uint64]string{}
	for i := uint64(1); i <= 3; i++ {
		members[i] = hostName(i) + ":raft"
	}
	conf := config.NodeHostConfig{
		NodeHostDir: "/data", RTTMillisecond: 50, RaftAddress: members[id],
		Expert: config.ExpertConfig{
			FS: c.disks[id-1], TransportFactory: c.net.Transport(hostName(id)),
			LogDB: config.GetTinyMemLogDBConfig(), Engine: config.GetDefaultEngineConfig(),
		},
	}
	conf.Expert.LogDB.Shards = 1
	if c.prepare != nil {
		c.prepare(id, &conf)
	}
	nh, err := dragonboat.NewNodeHost(conf)
	require.NoError(c.t, err)
	err = nh.StartCluster(members, false, newSum, config.Config{
		NodeID: id, ClusterID: raftCluster, ElectionRTT: 10, HeartbeatRTT: 2, CheckQuorum: true, SnapshotEntries: 20, CompactionOverhead: 2,
	})
	require.NoError(c.t, err)
	c.hosts[id-1] = nh
}

// leader waits until one of the given nodes knows that one of them leads.
func (c *trio) leader(among ...uint64) uint64 {
	c.t.Helper()
	for range 600 {
		for _, id := range among {
			if l, ok, err := c.hosts[id-1].GetLeaderID(raftCluster); err == nil && ok && l == id {
				return id
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	c.t.Fatalf("no leader among %v after a minute", among)
	return 0
}

func (c *trio) add(id uint64, x uint64) error {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	nh := c.hosts[id-1]
	_, err := nh.SyncPropose(ctx, nh.GetNoOPSession(raftCluster), binary.BigEndian.AppendUint64(nil, x))
	return err
}

// sums waits until all nodes hold the same sum and returns it.
func (c *trio) sums() uint64 {
	c.t.Helper()
	var got [3]uint64
	for range 600 {
		for i, nh := range c.hosts {
			if v, err := nh.StaleRead(raftCluster, nil); err == nil {
				got[i] = v.(uint64)
			}
		}
		if got[0] == got[1] && got[1] == got[2] {
			return got[0]
		}
		time.Sleep(100 * time.Millisecond)
	}
	c.t.Fatalf("the nodes hold %v after a minute", got)
	return 0
}

// sum is a state machine that adds numbers up.
type sum struct{ n uint64 }

func newSum(_, _ uint64) statemachine.IStateMachine { return &sum{} }

func (s *sum) Update(cmd []byte) (statemachine.Result, error) {
	s.n += binary.BigEndian.Uint64(cmd)
	return statemachine.Result{Value: s.n}, nil
}
func (s *sum) Lookup(any) (any, error) { return s.n, nil }
func (s *sum) SaveSnapshot(w io.Writer, _ statemachine.ISnapshotFileCollection, _ <-chan struct{}) error {
	return binary.Write(w, binary.BigEndian, s.n)
}
func (s *sum) RecoverFromSnapshot(r io.Reader, _ []statemachine.SnapshotFile, _ <-chan struct{}) error {
	return binary.Read(r, binary.BigEndian, &s.n)
}
func (s *sum) Close() error { return nil }

func others(id uint64) []uint64 {
	return map[uint64][]uint64{1: {2, 3}, 2: {1, 3}, 3: {1, 2}}[id]
}

func TestIsolatedLeaderIsReplaced(t *testing.T) {
	inTrio(t, func(t *testing.T, c *trio) {
		old := c.leader(1, 2, 3)
		require.NoError(t, c.add(old, 1))
		c.net.Isolate(hostName(old))
		require.Error(t, c.add(old, 100))
		next := c.leader(others(old)...)
		require.NoError(t, c.add(next, 2))
		require.Positive(t, c.net.Total(hostName(old)).CutOff)
		require.Zero(t, c.net.Counts(hostName(others(old)[0]), hostName(others(old)[1])).CutOff)
		c.net.HealAll()
		require.EqualValues(t, 3, c.sums(), "a write that failed on the isolated leader took effect")
	})
}

func TestOneWayCutTakesTheLeadAway(t *testing.T) {
	inTrio(t, func(t *testing.T, c *trio) {
		old := c.leader(1, 2, 3)
		for _, o := range others(old) {
			c.net.CutOneWay(hostName(o), hostName(old)) // it speaks and hears nothing
		}
		time.Sleep(10 * time.Second)
		next := c.leader(others(old)...)
		require.NoError(t, c.add(next, 5))
		c.net.HealAll()
		require.NoError(t, c.add(c.leader(1, 2, 3), 5))
		require.EqualValues(t, 10, c.sums())
	})
}

func TestLossyReorderingLinksOnlySlowTheClusterDown(t *testing.T) {
	inTrio(t, func(t *testing.T, c *trio) {
		for a := uint64(1); a <= 3; a++ {
			for _, b := range others(a) {
				require.NoError(t, c.net.SetLink(hostName(a), hostName(b),
					Link{Drop: 0.1, Duplicate: 0.1, Reorder: 0.1, Delay: 5 * time.Millisecond, Jitter: 10 * time.Millisecond}))
			}
		}
		done := 0
		for range 100 {
			if c.add(c.leader(1, 2, 3), 1) == nil {
				done++
			}
		}
		require.Greater(t, done, 80)
		sum := c.net.Total()
		for name, n := range map[string]int64{"lost": sum.Lost, "duplicated": sum.Duplicated, "reordered": sum.Reordered, "delayed": sum.Delayed} {
			require.Positive(t, n, name)
		}
		c.net.HealAll()
		require.GreaterOrEqual(t, c.sums(), uint64(done))
	})
}

func TestNodeThatWasAwayCatchesUpBySnapshot(t *testing.T) {
	inTrio(t, func(t *testing.T, c *trio) {
		away := others(c.leader(1, 2, 3))[0]
		c.net.Isolate(hostName(away))
		for range 100 {
			require.NoError(t, c.add(c.leader(others(away)...), 1))
		}
		c.net.HealAll()
		require.EqualValues(t, 100, c.sums())
	})
}

func TestGhostReachesNobody(t *testing.T) {
	for _, reset := range []bool{true, false} {
		inTrio(t, func(t *testing.T, c *trio) {
			old := c.leader(1, 2, 3)
			c.net.Down(hostName(old), reset)
			dead := c.hosts[old-1]
			require.Error(t, c.add(old, 100), "a dead process had its write acknowledged")
			next := c.leader(others(old)...)
			require.NoError(t, c.add(next, 1))
			delivered := c.net.Total(hostName(old)).Delivered
			time.Sleep(5 * time.Second)
			require.Equal(t, delivered, c.net.Total(hostName(old)).Delivered)
			dead.Stop()

			c.net.Up(hostName(old))
			c.start(old)
			require.EqualValues(t, 1, c.sums())
		})
	}
}

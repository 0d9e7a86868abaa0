// SPDX-License-Identifier: Apache-2.0

package simdisk_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lni/dragonboat/v3"
	"github.com/lni/dragonboat/v3/config"
	"github.com/lni/dragonboat/v3/logger"
	"github.com/lni/dragonboat/v3/statemachine"
	"github.com/lni/goutils/vfs"
	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/sim/memlog"
	"github.com/drumbeat-raft/drumbeat/monkey/sim/simdisk"
	"github.com/drumbeat-raft/drumbeat/monkey/sim/simnet"
)

const raftCluster = 1

func quiet() {
	for _, name := range []string{"raft", "rsm", "transport", "dragonboat", "logdb", "config", "grpc", "raftpb", "settings", "server", "utils", "pebblekv"} {
		logger.GetLogger(name).SetLevel(logger.CRITICAL)
	}
}

// set is a state machine that collects numbers.
type set struct{ has map[uint64]bool }

func newSet(_, _ uint64) statemachine.IStateMachine { return &set{map[uint64]bool{}} }

func (s *set) Update(cmd []byte) (statemachine.Result, error) {
	s.has[binary.BigEndian.Uint64(cmd)] = true
	return statemachine.Result{}, nil
}

// Lookup returns those of the asked numbers that are missing.
func (s *set) Lookup(asked any) (any, error) {
	var missing []uint64
	for _, x := range asked.([]uint64) {
		if !s.has[x] {
			missing = append(missing, x)
		}
	}
	return missing, nil
}

func (s *set) SaveSnapshot(w io.Writer, _ statemachine.ISnapshotFileCollection, _ <-chan struct{}) error {
	for x := range s.has {
		if err := binary.Write(w, binary.BigEndian, x); err != nil {
			return err
		}
	}
	return nil
}

func (s *set) RecoverFromSnapshot(r io.Reader, _ []statemachine.SnapshotFile, _ <-chan struct{}) error {
	for {
		var x uint64
		if err := binary.Read(r, binary.BigEndian, &x); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		s.has[x] = true
	}
}

func (s *set) Close() error { return nil }

// noErrors makes a vfs.ErrorFS, which Dragonboat takes, of any file system.
type noErrors struct{}

func (noErrors) MaybeError(vfs.Op) error { return nil }

// nodeHost starts a Raft cluster of one on a file system; logs is nil for
// Dragonboat's own LogDB.
func nodeHost(t *testing.T, net *simnet.Network, fs vfs.FS, logs config.LogDBFactory) *dragonboat.NodeHost {
	t.Helper()
	conf := config.NodeHostConfig{
		NodeHostDir: "/data", RTTMillisecond: 10, RaftAddress: "nh:raft",
		Expert: config.ExpertConfig{
			FS: vfs.Wrap(fs, noErrors{}), TransportFactory: net.Transport("nh"),
			LogDB: config.GetTinyMemLogDBConfig(), Engine: config.GetDefaultEngineConfig(),
			LogDBFactory: logs,
		},
	}
	conf.Expert.LogDB.Shards = 1
	conf.Expert.LogDB.KVWriteBufferSize = 256 << 10 // so that Pebble flushes and compacts
	nh, err := dragonboat.NewNodeHost(conf)
	require.NoError(t, err)
	require.NotNil(t, nh, "Dragonboat recovered from a panic of its own")
	require.NoError(t, nh.StartCluster(map[uint64]string{1: "nh:raft"}, false, newSet, config.Config{
		NodeID: 1, ClusterID: raftCluster, ElectionRTT: 10, HeartbeatRTT: 2, SnapshotEntries: 30, CompactionOverhead: 5,
	}))
	return nh
}

// propose writes x with a payload; without an error it was acknowledged.
func propose(nh *dragonboat.NodeHost, x uint64, payload int) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_, err := nh.SyncPropose(ctx, nh.GetNoOPSession(raftCluster), append(binary.BigEndian.AppendUint64(nil, x), make([]byte, payload)...))
	return err
}

// writers write until the process ends, and
// collect what was acknowledged by a living process.
type writers struct {
	mu    sync.Mutex
	acked []uint64
	next  uint64
	dead  bool
	// refused counts what a living process did not acknowledge, by error.
	refused map[string]int
}

// write writes until the process ends, and calls at after each write. What is refused
// is tried again a little later: a node that is not ready for a moment refuses at once,
// so that any number of writes is over before it can be ready. A process that has not
// ended after a minute never will.
func (w *writers) write(nh *dragonboat.NodeHost, at func(done int)) {
	start := time.Now()
	for i := 0; time.Since(start) < time.Minute; i++ {
		w.mu.Lock()
		x := w.next
		w.next++
		dead := w.dead
		w.mu.Unlock()
		if dead {
			return
		}
		err := propose(nh, x, int(x*37%5000))
		w.mu.Lock()
		switch {
		case w.dead:
		case err == nil:
			w.acked = append(w.acked, x)
		default:
			w.refused[err.Error()]++
		}
		w.mu.Unlock()
		if err != nil {
			time.Sleep(10 * time.Millisecond)
		}
		at(i)
	}
}

func (w *writers) kill() {
	w.mu.Lock()
	w.dead = true
	w.mu.Unlock()
}

func TestDragonboatKeepsWhatItAcknowledged(t *testing.T) {
	quiet()
	for name, logs := range map[string]config.LogDBFactory{"pebble": nil, "memory": memlog.Factory{}} {
		for seed := range uint64(3) {
			t.Run(fmt.Sprint(name, seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { endTwentyTimes(t, rand.New(rand.NewPCG(seed, 1)), logs) })
			})
		}
	}
}

// endTwentyTimes writes from several goroutines, ends the process in one of
// four ways, starts it again on what the disk still has, and looks for what
// was acknowledged.
func endTwentyTimes(t *testing.T, rng *rand.Rand, logs config.LogDBFactory) {
	net := simnet.New(simnet.Config{Seed: 1})
	defer net.Close()
	disk := simdisk.New("/data")
	w := &writers{}
	var lost simdisk.Effect
	for round := range 20 {
		net.Up("nh")
		nh := nodeHost(t, net, disk.Mount(), logs)
		found(t, nh, w.acked, round)
		w.dead, w.refused = false, map[string]int{}
		struck := false
		end := end(rng, disk, w, &lost, &struck)
		after := 5 + rng.IntN(60)
		var wg sync.WaitGroup
		for g := range 4 {
			wg.Go(func() {
				w.write(nh, func(done int) {
					if g == 0 && done == after {
						end()
					}
				})
			})
		}
		wg.Wait()
		require.True(t, w.dead || struck, "round %d did not end the process: %d writes begun, refused: %v", round, w.next, w.refused)
		nh.Stop() // on a detached mount
	}
	require.Positive(t, lost.BytesLost, "no power loss found anything to lose")
	require.Greater(t, len(w.acked), 500)
}

// end draws how a process ends and returns the function that does it.
func end(rng *rand.Rand, disk *simdisk.Disk, w *writers, lost *simdisk.Effect, struck *bool) func() {
	add := func(e simdisk.Effect) { lost.BytesLost += e.BytesLost }
	syncs, seed := 1+rng.IntN(20), rng.Uint64()
	torn := rand.New(rand.NewPCG(seed, 2))
	switch rng.IntN(4) {
	case 0:
		return func() { w.kill(); disk.Kill() }
	case 1:
		return func() { w.kill(); add(disk.PowerLoss(nil)) }
	case 2:
		torn = nil
	}
	return func() {
		disk.PowerLossAtSync(syncs, torn, func(e simdisk.Effect) {
			w.kill()
			add(e)
			*struck = true
		})
	}
}

func found(t *testing.T, nh *dragonboat.NodeHost, acked []uint64, round int) {
	t.Helper()
	var missing any
	var err error
	for range 100 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		missing, err = nh.SyncRead(ctx, raftCluster, acked)
		cancel()
		if err == nil {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	require.NoError(t, err)
	require.Empty(t, missing, "round %d: acknowledged writes are gone", round)
}

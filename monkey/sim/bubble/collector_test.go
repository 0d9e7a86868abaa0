// SPDX-License-Identifier: Apache-2.0

package bubble

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lni/dragonboat/v3"
	"github.com/lni/dragonboat/v3/config"
	"github.com/lni/dragonboat/v3/logger"
	"github.com/lni/dragonboat/v3/statemachine"
	"github.com/lni/goutils/vfs"

	"github.com/drumbeat-raft/drumbeat/monkey/sim/simdisk"
	"github.com/drumbeat-raft/drumbeat/monkey/sim/simnet"
)

// BenchmarkCollector runs three NodeHosts with eight clusters for ten virtual
// minutes under a light load, with different settings of the collector:
//
//	go test -run xxx -bench Collector -benchtime 1x ./monkey/sim/bubble
//
// With PROFILE=file the children write a CPU profile.
func BenchmarkCollector(b *testing.B) {
	for _, percent := range []int{100, 200, 400, 800, 1600} {
		b.Run(fmt.Sprintf("GOGC=%d", percent), func(b *testing.B) {
			for b.Loop() {
				var report []float64
				exit, err := Command{
					Request: order{Do: "raft", For: 10 * time.Minute}, Log: filepath.Join(b.TempDir(), "log"), GCPercent: percent, Profile: os.Getenv("PROFILE"),
					OnProgress: func(m json.RawMessage) { _ = json.Unmarshal(m, &report) },
				}.Run(b.Context())
				if err != nil || !exit.Done || exit.Err != "" || exit.Crash != nil || len(report) != 3 {
					b.Fatalf("%+v %v", exit, err)
				}
				b.ReportMetric(report[0], "MiB")
				b.ReportMetric(report[1], "writes")
				b.ReportMetric(report[2], "cpu-s")
			}
		})
	}
}

// Of the run that is measured.
const (
	benchHosts    = 3
	benchClusters = 8
)

// runRaft is the work of the child. It reports the memory taken from the
// operating system in MiB, the writes done, and the CPU time in seconds.
func runRaft(job Job, d time.Duration) error {
	for _, name := range []string{"raft", "rsm", "transport", "dragonboat", "logdb", "config", "grpc", "raftpb", "settings", "server", "utils", "pebblekv"} {
		logger.GetLogger(name).SetLevel(logger.CRITICAL)
	}
	net := simnet.New(simnet.Config{Seed: 1})
	defer net.Close()
	var hosts []*dragonboat.NodeHost
	for i := range benchHosts {
		nh, err := benchHost(net, uint64(i+1))
		if err != nil {
			return err
		}
		defer nh.Stop()
		hosts = append(hosts, nh)
	}
	writes := load(hosts, d)
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return err
	}
	cpu := time.Duration(u.Utime.Nano() + u.Stime.Nano())
	return job.Progress([]float64{float64(m.Sys) / (1 << 20), float64(writes), cpu.Seconds()})
}

func benchHost(net *simnet.Network, id uint64) (*dragonboat.NodeHost, error) {
	members := map[uint64]string{}
	for i := range uint64(benchHosts) {
		members[i+1] = fmt.Sprintf("nh%d:1", i+1)
	}
	logdb := config.GetTinyMemLogDBConfig()
	logdb.Shards = 1
	nh, err := dragonboat.NewNodeHost(config.NodeHostConfig{
		NodeHostDir: "/raft", RTTMillisecond: 100, RaftAddress: members[id],
		Expert: config.ExpertConfig{
			FS:               vfs.Wrap(simdisk.New("/raft").Mount(), noErrors{}),
			TransportFactory: net.Transport(fmt.Sprintf("nh%d", id)),
			LogDB:            logdb,
			Engine:           config.EngineConfig{ExecShards: 2, CommitShards: 2, ApplyShards: 2, SnapshotShards: 2, CloseShards: 2},
		},
	})
	if err != nil {
		return nil, err
	}
	for c := range uint64(benchClusters) {
		err := nh.StartCluster(members, false, func(_, _ uint64) statemachine.IStateMachine { return &counter{} }, config.Config{
			NodeID: id, ClusterID: c + 1, ElectionRTT: 10, HeartbeatRTT: 2, CheckQuorum: true, SnapshotEntries: 1000, CompactionOverhead: 100,
		})
		if err != nil {
			return nil, err
		}
	}
	return nh, nil
}

// load has one client a cluster write every 100 ms, and counts what worked.
func load(hosts []*dragonboat.NodeHost, d time.Duration) int {
	var mu sync.Mutex
	var clients sync.WaitGroup
	done, end := 0, time.Now().Add(d)
	for c := range uint64(benchClusters) {
		clients.Go(func() {
			nh := hosts[c%benchHosts]
			for time.Now().Before(end) {
				ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
				_, err := nh.SyncPropose(ctx, nh.GetNoOPSession(c+1), make([]byte, 100))
				cancel()
				if err == nil {
					mu.Lock()
					done++
					mu.Unlock()
				}
				time.Sleep(100 * time.Millisecond)
			}
		})
	}
	clients.Wait()
	return done
}

// noErrors makes a vfs.ErrorFS, which Dragonboat takes, of any file system.
type noErrors struct{}

func (noErrors) MaybeError(vfs.Op) error { return nil }

// counter is a state machine that counts commands.
type counter struct{ n uint64 }

func (c *counter) Update([]byte) (statemachine.Result, error) {
	c.n++
	return statemachine.Result{Value: c.n}, nil
}
func (c *counter) Lookup(any) (any, error) { return c.n, nil }
func (c *counter) SaveSnapshot(w io.Writer, _ statemachine.ISnapshotFileCollection, _ <-chan struct{}) error {
	return binary.Write(w, binary.BigEndian, c.n)
}
func (c *counter) RecoverFromSnapshot(r io.Reader, _ []statemachine.SnapshotFile, _ <-chan struct{}) error {
	return binary.Read(r, binary.BigEndian, &c.n)
}
func (c *counter) Close() error { return nil }

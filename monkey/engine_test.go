// SPDX-License-Identifier: Apache-2.0

package monkey

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lni/dragonboat/v3/logger"
	"github.com/lni/goutils/vfs"
	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/drummer/agent"
	"github.com/drumbeat-raft/drumbeat/monkey/sim"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

func TestExperiment(t *testing.T) {
	for _, n := range []string{"raft", "rsm", "transport", "grpc", "dragonboat", "logdb", "raftpb", "config", "server", "settings", "raftdb", "pebblekv", "utils", "tests", "order", "registry"} {
		logger.GetLogger(n).SetLevel(logger.ERROR)
	}
	s, err := scenarios.Load("quickstart")
	require.NoError(t, err)
	dir := "/tmp/exp"
	os.MkdirAll(dir, 0o755)
	wall := time.Now()
	var level slog.LevelVar
	level.Set(slog.LevelInfo)
	logf, _ := os.Create(dir + "/log")
	synctest.Test(t, func(t *testing.T) {
		w := sim.New(sim.Config{Deployment: s.Deployment, Drummer: s.Drummer, RTT: s.Deployment.RTT.D(), Seed: 1,
			Applications: func(fs vfs.FS, dir string, h world.Host) map[string]agent.Application {
				return statemachine.Registry(fs, dir, statemachine.Correct)
			},
			Logger: func(host string) *slog.Logger {
				return slog.New(slog.NewTextHandler(logf, &slog.HandlerOptions{Level: &level})).With("host", host)
			},
		})
		err := execute(context.Background(), dir, s, 1, w, func(p Progress) { fmt.Printf("%+v\n", p) })
		require.NoError(t, err)
	})
	fmt.Println("wall", time.Since(wall))
}

// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"log/slog"
	"os"
	"os/exec"
	"testing"

	"github.com/lni/dragonboat/v3/logger"
	"github.com/stretchr/testify/require"
)

// A panic through Dragonboat's logger ends the process, whoever recovers, and
// leaves what a crash leaves.
func TestDragonboatsPanicEndsTheProcess(t *testing.T) {
	const child = "DRUMBEAT_TEST_DRAGONBOAT_PANICS"
	if os.Getenv(child) != "" {
		defer func() { _ = recover() }()
		logDragonboat(slog.LevelInfo)
		logger.GetLogger("raft").Infof("not shown")
		logger.GetLogger("raft").Warningf("shown")
		logger.GetLogger("raft").Panicf("applied %d twice", 7)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestDragonboatsPanicEndsTheProcess$")
	cmd.Env = append(os.Environ(), child+"=1")
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	require.Equal(t, 2, exit.ExitCode())
	require.Regexp(t, `(?m)^time=\S+ level=WARN msg=shown dragonboat=raft$`, string(out))
	require.NotContains(t, string(out), "not shown")
	require.Regexp(t, `(?m)^panic: raft: applied 7 twice\n\ngoroutine \d+ \[running\]:$`, string(out))
}

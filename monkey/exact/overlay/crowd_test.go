// SPDX-License-Identifier: Apache-2.0

package overlay

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/exact"
)

// crowd is how an execution of testdata/crowd went.
type crowd struct {
	exact.State
	Host  string
	Lost  int
	Looks []string
	Held  int
}

// buildCrowd builds the program with some of the edits.
func buildCrowd(t *testing.T, edits []Edit) (string, error) {
	t.Helper()
	if testing.Short() {
		t.Skip("compiles the standard library with the overlay")
	}
	cache, err := cacheFolder()
	require.NoError(t, err)
	return Build{Package: "./testdata/crowd", Announce: os.Stderr}.run(t.Context(), atHand(t), cache, edits)
}

// runCrowd runs the program for some seeds, in an environment that has env
// besides.
func runCrowd(t *testing.T, binary string, env []string, seeds ...string) ([]crowd, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, seeds...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	var all []crowd
	for d := json.NewDecoder(strings.NewReader(string(out))); d.More(); {
		var c crowd
		require.NoError(t, d.Decode(&c))
		all = append(all, c)
	}
	return all, err
}

// mustRunCrowd is runCrowd with all edits for one seed.
func mustRunCrowd(t *testing.T, binary string, seed string, env ...string) crowd {
	t.Helper()
	all, err := runCrowd(t, binary, env, seed)
	require.NoError(t, err)
	require.Len(t, all, 1)
	return all[0]
}

// load keeps the machine busy until the test ends.
func load(t *testing.T) {
	var done atomic.Bool
	t.Cleanup(func() { done.Store(true) })
	for range 3 {
		go func() {
			for !done.Load() {
			}
		}()
	}
}

// processors are what the environments of the executions say.
var processors = []string{"GOMAXPROCS=1", "GOMAXPROCS=2", "GOMAXPROCS=8"}

func TestSameSeedIsTheSameExecution(t *testing.T) {
	binary, err := buildCrowd(t, edits)
	require.NoError(t, err)
	first := mustRunCrowd(t, binary, "1")
	require.Equal(t, "exact", first.Host)
	require.Greater(t, first.Decisions, uint64(1000))
	require.Greater(t, first.Goroutines, uint64(100))
	require.NotZero(t, first.Collections, "garbage was collected on the way")
	load(t)
	for _, procs := range processors {
		again := mustRunCrowd(t, binary, "1", procs)
		require.Zero(t, again.Foreign)
		require.Equal(t, first.Fingerprint, again.Fingerprint, procs)
	}
	require.NotEqual(t, first.Fingerprint, mustRunCrowd(t, binary, "2").Fingerprint)
}

func TestCrashedExecutionHasItsFingerprint(t *testing.T) {
	binary, err := buildCrowd(t, edits)
	require.NoError(t, err)
	first, again := mustRunCrowd(t, binary, "1", "CROWD_CRASH=1"), mustRunCrowd(t, binary, "1", "CROWD_CRASH=1")
	require.Greater(t, first.Decisions, uint64(1000))
	require.Equal(t, first.Fingerprint, again.Fingerprint)
}

// traceOf opens the trace of an execution.
func traceOf(t *testing.T, binary, seed string, env ...string) *exact.Trace {
	t.Helper()
	path := filepath.Join(t.TempDir(), "trace")
	traced := mustRunCrowd(t, binary, seed, append(env, "CROWD_TRACE="+path)...)
	require.False(t, traced.TraceFull)
	require.Equal(t, mustRunCrowd(t, binary, seed, env...).Fingerprint, traced.Fingerprint, "a trace changes no decision")
	tr, err := exact.OpenTrace(path)
	require.NoError(t, err)
	t.Cleanup(func() { tr.Close() })
	return tr
}

func TestTracesTellWhereExecutionsPart(t *testing.T) {
	binary, err := buildCrowd(t, edits)
	require.NoError(t, err)
	d, err := exact.Compare(traceOf(t, binary, "1"), traceOf(t, binary, "1"))
	require.NoError(t, err)
	require.Nil(t, d)

	d, err = exact.Compare(traceOf(t, binary, "1"), traceOf(t, binary, "2"))
	require.NoError(t, err)
	require.Contains(t, d.A, "drew other random numbers")

	d, err = exact.Compare(traceOf(t, binary, "1"), traceOf(t, binary, "1", `CROWD_EXPLORE={"Preemptions":1,"Horizon":1000}`))
	require.NoError(t, err)
	require.Contains(t, d.B, "locks, channels and reads of the clock", "they are counted where goroutines may be preempted")

	d, err = exact.Compare(traceOf(t, binary, "1", `CROWD_EXPLORE={"Preemptions":1,"Horizon":1000}`), traceOf(t, binary, "1", `CROWD_EXPLORE={"Preemptions":1,"Horizon":2000}`))
	require.NoError(t, err)
	require.NotZero(t, d.Decision)
	require.NotEqual(t, d.A, d.B)
	require.Contains(t, d.String(), "started by main.work", "goroutines are named by their functions")
}

func TestExplorationIsAnInput(t *testing.T) {
	binary, err := buildCrowd(t, edits)
	require.NoError(t, err)
	seen := map[uint64]string{}
	for _, explore := range []string{
		`{"Order":0}`, `{"Order":1}`, `{"Order":2}`,
		`{"Order":0,"Preemptions":100,"Horizon":3000}`, `{"Order":2,"Preemptions":100,"Horizon":3000}`,
		`{"Order":0,"Preemptions":100,"Horizon":3000,"Pause":2000000}`, `{"Order":2,"Preemptions":100,"Horizon":3000,"Pause":2000000}`,
	} {
		first := mustRunCrowd(t, binary, "1", "CROWD_EXPLORE="+explore)
		require.Equal(t, first.Fingerprint, mustRunCrowd(t, binary, "1", "CROWD_EXPLORE="+explore).Fingerprint, explore)
		require.Empty(t, seen[first.Fingerprint], explore)
		seen[first.Fingerprint] = explore
		require.Equal(t, strings.Contains(explore, "Preemptions"), first.Preempted > 50, "%s: %d", explore, first.Preempted)
	}
}

func TestLookingChangesNoDecision(t *testing.T) {
	binary, err := buildCrowd(t, edits)
	require.NoError(t, err)
	for _, explore := range []string{`{}`, `{"Preemptions":200,"Horizon":3000}`, `{"Order":2,"Preemptions":200,"Horizon":3000,"Pause":2000000}`} {
		plain := mustRunCrowd(t, binary, "1", "CROWD_EXPLORE="+explore)
		looked := mustRunCrowd(t, binary, "1", "CROWD_LOOK=1", "CROWD_EXPLORE="+explore)
		require.Equal(t, plain.Fingerprint, looked.Fingerprint, explore)
		require.Len(t, looked.Looks, 2, "the third instant comes after the end")
		require.Regexp(t, `^1ms \d+ false$`, looked.Looks[0])
		require.Regexp(t, `^2ms \d+ false$`, looked.Looks[1])
		require.Equal(t, looked.Looks, mustRunCrowd(t, binary, "1", "CROWD_LOOK=1", "CROWD_EXPLORE="+explore).Looks)
	}
}

func TestAGroupIsHeld(t *testing.T) {
	binary, err := buildCrowd(t, edits)
	require.NoError(t, err)
	for _, explore := range []string{`{}`, `{"Order":2,"Preemptions":200,"Horizon":3000,"Pause":2000000}`} {
		first := mustRunCrowd(t, binary, "1", "CROWD_HOLD=1", "CROWD_EXPLORE="+explore)
		require.EqualValues(t, 2, first.Held, "who has the lock, and who reads from the channel")
		require.Zero(t, first.Foreign)
		require.Equal(t, first.Fingerprint, mustRunCrowd(t, binary, "1", "CROWD_HOLD=1", "CROWD_EXPLORE="+explore, processors[2]).Fingerprint)
	}
}

// seedsTo are the seeds from 1 to n.
func seedsTo(n int) []string {
	var all []string
	for i := range n {
		all = append(all, strconv.Itoa(i+1))
	}
	return all
}

func TestExplorationFindsARace(t *testing.T) {
	binary, err := buildCrowd(t, edits)
	require.NoError(t, err)
	found := func(explore string) []int {
		all, err := runCrowd(t, binary, []string{"CROWD_RACE=1", "CROWD_EXPLORE=" + explore}, seedsTo(50)...)
		require.NoError(t, err)
		var lost []int
		for _, c := range all {
			if c.Lost > 0 {
				lost = append(lost, c.Lost)
			}
		}
		return lost
	}
	require.Empty(t, found(`{}`), "in Go's own order nobody is preempted")
	lost := found(`{"Preemptions":20,"Horizon":500}`)
	require.NotEmpty(t, lost)
	require.True(t, slices.Equal(lost, found(`{"Preemptions":20,"Horizon":500}`)), "and found again with the same seeds")
}

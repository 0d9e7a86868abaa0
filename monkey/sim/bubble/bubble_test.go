// SPDX-License-Identifier: Apache-2.0

package bubble

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/drumbeat-raft/drumbeat/monkey/exact"
)

func TestMain(m *testing.M) {
	if os.Getenv(parentEnv) != "" {
		actAsParent()
	}
	Main(work)
	goleak.VerifyTestMain(m)
}

// order is what the tests ask of a child.
type order struct {
	Do  string
	For time.Duration
}

// work is what a child of these tests does.
func work(ctx context.Context, job Job) error {
	var o order
	if err := json.Unmarshal(job.Request, &o); err != nil {
		return err
	}
	switch o.Do {
	case "sleep":
		fmt.Println("to stdout")
		fmt.Fprintln(os.Stderr, "to stderr", os.Args[1:], os.Getenv(childEnv))
		for i := range 3 {
			time.Sleep(o.For / 3)
			if err := job.Progress(i); err != nil {
				return err
			}
		}
		return job.Progress(time.Now().UTC().Format(time.DateOnly))
	case "processors":
		return job.Progress(runtime.GOMAXPROCS(0))
	case "fail":
		return errors.New("it failed")
	case "panic":
		var wg sync.WaitGroup
		pprof.Do(ctx, pprof.Labels("host", "nodehost-2"), func(context.Context) {
			wg.Go(func() { panic(fmt.Errorf("in a worker\nwith a second line")) })
		})
		wg.Wait()
	case "leak":
		go func() { <-make(chan int) }()
	case "until stopped":
		job.Progress(os.Getpid())
		<-ctx.Done()
		time.Sleep(o.For)
		return job.Progress("stopped")
	case "raft":
		return runRaft(job, o.For)
	case "spin":
		job.Progress(os.Getpid())
		var mu sync.Mutex
		mu.Lock()
		mu.Lock() // no waiting that virtual time knows of
	}
	return nil
}

// inChild runs a child and returns its exit, its progress and its log.
func inChild(t *testing.T, ctx context.Context, c Command) (Exit, []string, string) {
	t.Helper()
	c.Log = filepath.Join(t.TempDir(), "log")
	var progress []string
	next := c.OnProgress
	c.OnProgress = func(m json.RawMessage) {
		progress = append(progress, string(m))
		if next != nil {
			next(m)
		}
	}
	exit, err := c.Run(ctx)
	require.NoError(t, err)
	require.Positive(t, exit.Cost.CPU)
	require.Equal(t, runtime.GOOS == "linux", exit.Cost.PeakMemory > 1<<20)
	exit.Cost = Cost{}
	log, err := os.ReadFile(c.Log)
	require.NoError(t, err)
	return exit, progress, string(log)
}

func TestVirtualTimePassesAtOnce(t *testing.T) {
	start := time.Now()
	exit, progress, log := inChild(t, t.Context(), Command{Request: order{"sleep", 24 * time.Hour}})
	require.Equal(t, Exit{Done: true}, exit)
	require.Equal(t, []string{"0", "1", "2", `"2000-01-02"`}, progress)
	require.Equal(t, "to stdout\nto stderr [] \n", log, "nothing of testing's own")
	require.Less(t, time.Since(start), time.Minute)
}

func TestBubbleHasOneProcessorUnlessMoreAreAskedFor(t *testing.T) {
	for procs, want := range map[int]string{0: "1", 2: "2"} {
		_, progress, _ := inChild(t, t.Context(), Command{Request: order{Do: "processors"}, Procs: procs})
		require.Equal(t, []string{want}, progress)
	}
	_, progress, _ := inChild(t, t.Context(), Command{Request: order{Do: "processors"}, Realtime: true})
	require.Equal(t, []string{strconv.Itoa(runtime.GOMAXPROCS(0))}, progress)
}

func TestRealTime(t *testing.T) {
	start := time.Now()
	exit, progress, _ := inChild(t, t.Context(), Command{Request: order{"sleep", 300 * time.Millisecond}, Realtime: true})
	require.Equal(t, Exit{Done: true}, exit)
	require.NotEqual(t, `"2000-01-01"`, progress[3])
	require.GreaterOrEqual(t, time.Since(start), 300*time.Millisecond)
}

func TestErrorOfTheWork(t *testing.T) {
	exit, _, _ := inChild(t, t.Context(), Command{Request: order{Do: "fail"}})
	require.Equal(t, Exit{Done: true, Err: "it failed", Code: exitFailed}, exit)
}

func TestPanicInAWorkerIsReported(t *testing.T) {
	for _, realtime := range []bool{false, true} {
		exit, _, log := inChild(t, t.Context(), Command{Request: order{Do: "panic"}, Realtime: realtime})
		require.False(t, exit.Done)
		require.Equal(t, 2, exit.Code)
		require.NotNil(t, exit.Crash, log)
		require.Contains(t, exit.Crash.Message, "in a worker")
		require.Contains(t, exit.Crash.Message, "with a second line")
		require.Contains(t, exit.Crash.Stack, "bubble.work.func")
		require.Equal(t, map[string]string{"host": "nodehost-2"}, exit.Crash.Labels)
		require.False(t, exit.Crash.Deadlock())
	}
}

func TestGoroutineLeftBehindIsADeadlock(t *testing.T) {
	exit, _, _ := inChild(t, t.Context(), Command{Request: order{Do: "leak"}})
	require.True(t, exit.Done)
	require.True(t, exit.Crash.Deadlock(), "%+v", exit)
	require.Contains(t, exit.Crash.Stack, "bubble.work.func")
}

// onPID cancels when the child has said that it is at work.
func onPID(cancel func()) func(json.RawMessage) {
	return func(m json.RawMessage) {
		if _, err := strconv.Atoi(string(m)); err == nil {
			cancel()
		}
	}
}

func TestStopReachesTheBubble(t *testing.T) {
	for _, realtime := range []bool{false, true} {
		ctx, cancel := context.WithCancel(t.Context())
		o := order{Do: "until stopped"}
		if !realtime {
			o.For = time.Hour // to end in good order
		}
		exit, progress, _ := inChild(t, ctx, Command{Request: o, Realtime: realtime, OnProgress: onPID(cancel)})
		require.Equal(t, Exit{Done: true, Stopped: true}, exit)
		require.Equal(t, `"stopped"`, progress[1])
	}
}

func TestChildThatDoesNotStopIsKilledAndShowsWhereItHangs(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	exit, _, log := inChild(t, ctx, Command{Request: order{Do: "spin"}, Grace: 200 * time.Millisecond, OnProgress: onPID(cancel)})
	require.True(t, exit.Stopped)
	require.True(t, exit.Killed)
	require.False(t, exit.Done)
	require.NotNil(t, exit.Crash)
	require.Contains(t, log, "bubble.work(")
}

func TestRequestThatIsNotJSON(t *testing.T) {
	_, err := Command{Request: func() {}, Log: filepath.Join(t.TempDir(), "log")}.Run(t.Context())
	require.ErrorContains(t, err, "encode the request")
}

func TestExactRunIsRefusedWithoutItsOverlay(t *testing.T) {
	if exact.Built() == nil {
		t.Skip("these tests were built with the overlay")
	}
	_, err := Command{Request: order{Do: "fail"}, Exact: &Exact{Seed: 1}, Log: filepath.Join(t.TempDir(), "log")}.Run(t.Context())
	require.ErrorIs(t, err, exact.ErrNotBuilt)
}

func TestExactRunNeedsVirtualTime(t *testing.T) {
	_, err := Command{Request: order{Do: "fail"}, Exact: &Exact{}, Realtime: true, Log: filepath.Join(t.TempDir(), "log")}.Run(t.Context())
	require.ErrorContains(t, err, "virtual time")
}

// parentEnv makes the test binary a parent that is going to be killed. Its
// value is the log of the child.
const parentEnv = "DRUMBEAT_BUBBLE_TEST_PARENT"

func actAsParent() {
	log := os.Getenv(parentEnv)
	os.Unsetenv(parentEnv)
	c := Command{Log: log, Request: order{Do: "spin"}, OnProgress: func(m json.RawMessage) { fmt.Println(string(m)) }}
	exit, err := c.Run(context.Background())
	fmt.Println(exit, err)
	os.Exit(0)
}

func TestChildDiesWithItsParent(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("looks into /proc for the child")
	}
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), parentEnv+"="+filepath.Join(t.TempDir(), "log"))
	out, err := parent.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, parent.Start())
	buf := make([]byte, 100)
	n, err := out.Read(buf)
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(buf[:n])))
	require.NoError(t, err)
	require.True(t, runs(pid))
	require.NoError(t, parent.Process.Kill())
	require.Error(t, parent.Wait())
	require.Eventually(t, func() bool { return !runs(pid) }, 10*time.Second, 10*time.Millisecond)
}

// runs reports whether a process is there and not a zombie, which is what a
// container without an init makes of an orphan.
func runs(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(state, "Z")
}

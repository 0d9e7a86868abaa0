// SPDX-License-Identifier: Apache-2.0

package bubble

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"runtime/pprof"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// childEnv marks a process as a child. It is taken out of the environment as
// soon as it was seen.
const childEnv = "DRUMBEAT_BUBBLE_CHILD"

// What it says: that the child is one of Main, or which InTest it is one of.
const (
	ofMain = "main"
	ofTest = "test "
)

// OfTest returns the place in a test that this process was started for as a child,
// until InTest has been called there; empty: it is no such child.
func OfTest() string {
	place, _ := strings.CutPrefix(os.Getenv(childEnv), ofTest)
	if place == os.Getenv(childEnv) {
		return ""
	}
	return place
}

// progressFD is where the child writes messages.
const progressFD = 3

// Exit codes of a child that did not crash.
const (
	exitDone     = 0
	exitFailed   = 1  // the work returned an error
	exitOrphaned = 3  // the parent is gone
	exitCutShort = 4  // CutShort
	exitProtocol = 70 // what came from the parent is not a request
)

// envelope is what the parent sends first.
type envelope struct {
	Realtime    bool            `json:"realtime"`
	GCPercent   int             `json:"gc_percent"`
	MemoryLimit int64           `json:"memory_limit"`
	Profile     string          `json:"profile"`
	Exact       *record         `json:"exact,omitempty"`
	Request     json.RawMessage `json:"request"`
}

// message is what the child sends: one of its fields.
type message struct {
	Progress json.RawMessage `json:"progress,omitempty"`
	End      *ending         `json:"end,omitempty"`
}

type ending struct {
	Error string `json:"error,omitempty"`
}

// dirEnv is the working directory of a test, whose child begins in another one.
const dirEnv = "DRUMBEAT_BUBBLE_DIR"

// GoBack changes the working directory of a child that is one of a test to that
// of the test.
func GoBack() {
	dir := os.Getenv(dirEnv)
	if dir == "" || OfTest() == "" {
		return
	}
	if err := os.Chdir(dir); err != nil {
		fmt.Fprintln(os.Stderr, "bubble: go back to the directory of the test:", err)
		os.Exit(exitProtocol)
	}
}

// Job is what a child was asked to do.
type Job struct {
	// Request is the JSON of Command.Request.
	Request json.RawMessage
	out     *messages
}

// Progress sends v to the parent as JSON. It is safe for concurrent use and
// waits, in real time, while the parent is slow to read.
func (j Job) Progress(v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode progress: %w", err)
	}
	return j.out.send(message{Progress: data})
}

// Main does nothing in a process that is not a child of Command.Run. In a
// child it carries out work, in a bubble unless the parent asked for the real
// clock, and does not return. Call it before anything looks at the arguments.
//
// The context of work is cancelled when the parent asks to stop. Every
// goroutine that work starts must end by itself once work has returned.
func Main(work func(context.Context, Job) error) {
	if os.Getenv(childEnv) != ofMain {
		return
	}
	become(work, func(arm func(), f func() int, finish func()) {
		testing.Main(func(_, _ string) (bool, error) { return true, nil }, []testing.InternalTest{{
			Name: "bubble",
			F:    func(t *testing.T) { run(t, arm, f, finish) },
		}}, nil, nil)
	})
}

// InTest is Main for a child of a Command with a Place, which is in the middle of a
// test. t is that of the test, or of its fuzz target.
func InTest(t *testing.T, place string, work func(context.Context, Job) error) {
	if os.Getenv(childEnv) == ofTest+place {
		become(work, func(arm func(), f func() int, finish func()) { run(t, arm, f, finish) })
	}
}

// become is the life of a child. begin runs the work in a bubble, and does not
// return.
func become(work func(context.Context, Job) error, begin func(arm func(), f func() int, finish func())) {
	os.Unsetenv(childEnv)
	// ctrl-C goes to the whole process group; the parent decides what it means
	signal.Ignore(os.Interrupt)
	in := bufio.NewReader(os.Stdin)
	e, err := receive(in)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bubble:", err)
		os.Exit(exitProtocol)
	}
	useHugePages()
	debug.SetGCPercent(e.GCPercent)
	debug.SetMemoryLimit(e.MemoryLimit)
	var stop atomic.Bool
	go listen(in, &stop)
	job := Job{Request: e.Request, out: &messages{w: os.NewFile(progressFD, "progress")}}
	f := func() int {
		err := stoppable(stop.Load, func(ctx context.Context) error { return work(ctx, job) })
		return job.end(err)
	}
	finish, err := profile(e.Profile)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bubble:", err)
		os.Exit(exitProtocol)
	}
	if e.Realtime {
		code := f()
		finish()
		os.Exit(code)
	}
	arm, err := e.Exact.arm()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bubble:", err)
		os.Exit(exitProtocol)
	}
	begin(arm, f, finish)
}

// profile begins a CPU profile, if a file is named, and returns what ends it.
// It has a goroutine of its own, which must not live in the bubble.
func profile(file string) (finish func(), err error) {
	if file == "" {
		return func() {}, nil
	}
	f, err := os.Create(file)
	if err != nil {
		return nil, fmt.Errorf("create the CPU profile: %w", err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, fmt.Errorf("begin the CPU profile: %w", err)
	}
	return pprof.StopCPUProfile, nil
}

// CutShort ends the process right here, as a power loss would, and has the parent
// know that it was meant. It can also be called outside of the bubble.
func CutShort() { os.Exit(exitCutShort) }

func receive(in *bufio.Reader) (envelope, error) {
	var e envelope
	line, err := in.ReadBytes('\n')
	if err != nil {
		return e, fmt.Errorf("read the request of the parent: %w", err)
	}
	if err := json.Unmarshal(line, &e); err != nil {
		return e, fmt.Errorf("decode the request of the parent: %w", err)
	}
	return e, nil
}

// listen waits for the parent's word, outside of the bubble and on real files.
func listen(in *bufio.Reader, stop *atomic.Bool) {
	for {
		line, err := in.ReadString('\n')
		if line == stopLine {
			stop.Store(true)
		}
		if errors.Is(err, io.EOF) {
			os.Exit(exitOrphaned)
		}
		if err != nil {
			return
		}
	}
}

// end reports to the parent how the work ended.
func (j Job) end(err error) int {
	e, code := &ending{}, exitDone
	if err != nil {
		e.Error, code = err.Error(), exitFailed
	}
	if err := j.out.send(message{End: e}); err != nil {
		fmt.Fprintln(os.Stderr, "bubble: tell the parent that the work ended:", err)
	}
	return code
}

// messages writes lines of JSON that do not mix.
type messages struct {
	mu sync.Mutex
	w  io.Writer
}

func (m *messages) send(msg message) error {
	line, err := json.Marshal(msg)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	_, err = m.w.Write(append(line, '\n'))
	return err
}

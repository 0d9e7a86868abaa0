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
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"github.com/drumbeat-raft/drumbeat/monkey/exact"
)

// stopLine asks the child to stop.
const stopLine = "stop\n"

const (
	defaultGrace = 30 * time.Second
	// quitGrace is how long a child may take to write all its stacks.
	quitGrace = 5 * time.Second
	// The collector's settings for a child, see Command.
	defaultGCPercent   = 400
	defaultMemoryLimit = 4 << 30
)

// Command is a child to be run. The zero value of a field that has a default
// means that default.
type Command struct {
	// Request is sent to the child as JSON.
	Request any
	// Realtime runs the work on the real clock instead of in a bubble.
	Realtime bool
	// Log is the file that gets what the child writes to stdout and stderr.
	Log string
	// Dir is the child's working directory. Default: the parent's.
	Dir string
	// OnProgress, unless nil, gets every message of Job.Progress, in order and
	// on one goroutine. The child waits for it.
	OnProgress func(json.RawMessage)
	// Grace is how long, in real time, the child may go on after it was asked to
	// stop. Default 30 s.
	Grace time.Duration
	// GCPercent is the child's GOGC. A simulation makes much garbage and keeps
	// little: the default of 400 trades memory for time.
	GCPercent int
	// MemoryLimit in bytes is when the child collects garbage all the same. With
	// less than it keeps it does little else.
	// Default 4 GiB.
	MemoryLimit int64
	// Procs is the child's GOMAXPROCS. Default: 1 in a bubble, where hardly ever
	// two goroutines have something to do at once, so that a second thread costs
	// processor time and saves none; otherwise Go's own default.
	Procs int
	// Profile, unless empty, is the file for a CPU profile of the child.
	Profile string
	// Args are the child's arguments. Default: none.
	Args []string
	// Place, unless empty, is where in a test the child calls InTest: this executable
	// is a test binary, and Args have it run that test. The default is a child
	// that calls Main.
	Place string
	// Exact, unless nil, makes the run repeatable to the last decision of the
	// scheduler. This executable must have been built with the overlay of
	// package monkey/exact/overlay.
	Exact *Exact
}

// Exit is how a child ended. All went well if Done and neither Err nor Crash
// are set.
type Exit struct {
	// Done says that the work returned, with Err or without.
	Done bool
	// Err is the message of the error that the work returned.
	Err string
	// Code is the exit code, -1 if a signal ended the child.
	Code int
	// Signal is the name of the signal that ended the child, if one did.
	Signal string
	// Stopped says that the child was asked to stop.
	Stopped bool
	// CutShort reports that the work ended the process by CutShort.
	CutShort bool
	// Killed says that it did not stop within the grace. Crash then holds the
	// stacks of all its goroutines, if it could still write them.
	Killed bool
	// Crash is the panic or fatal error that ended the child, if one did. It may
	// come after Done, when the work left goroutines behind.
	Crash *Crash
	// Exact is how far an exact run came; also one that crashed.
	Exact exact.State
	// Cost is what the child took of the machine.
	Cost Cost
}

// Cost is what a process took of the machine.
type Cost struct {
	CPU        time.Duration // user and system, of all its threads
	System     time.Duration // the part of it that was spent in the kernel
	PeakMemory int64         // the most that was resident, in bytes; 0: not known
	PageFaults int64         // how often the kernel had to give it a page, large or small; 0: not known
}

// child is a running child process.
type child struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	out    *os.File
	exited chan struct{} // closed when the process has been waited for
	err    error         // of Wait; read after exited
}

// Run starts a child of this executable and waits for its end. When ctx ends,
// the child is asked to stop; when it takes longer than Grace, it is killed. It
// also dies when this process does. The error says that the child could not
// be run or watched at all; everything else is in Exit.
func (c Command) Run(ctx context.Context) (Exit, error) {
	if c.Exact != nil {
		return c.runExact(ctx)
	}
	return c.run(ctx, nil)
}

// run runs a child that writes the record of an exact run, if it is one.
func (c Command) run(ctx context.Context, record *record) (Exit, error) {
	envelope, err := c.envelope(record)
	if err != nil {
		return Exit{}, err
	}
	log, err := os.Create(c.Log)
	if err != nil {
		return Exit{}, fmt.Errorf("create the log of the child process: %w", err)
	}
	defer log.Close()
	ch, err := start(c.Dir, log, c.Args, append(append(c.procs(), labelled()), append(c.kind(), record.environ()...)...))
	if err != nil {
		return Exit{}, err
	}
	defer ch.stdin.Close()
	var exit Exit
	read := make(chan error, 1)
	go func() { read <- c.follow(ch.out, &exit) }()
	// an error means that the child has ended already: its exit says more
	_, _ = ch.stdin.Write(envelope)
	stopped, killed := c.supervise(ctx, ch)
	if err := <-read; err != nil {
		return Exit{}, err
	}
	exit.Stopped, exit.Killed = stopped, killed
	if err := exit.ended(ch); err != nil {
		return Exit{}, err
	}
	exit.CutShort = exit.Code == exitCutShort
	if exit.Code != exitDone && exit.Code != exitFailed && !exit.CutShort {
		exit.Crash, err = readCrash(c.Log)
	}
	return exit, err
}

// start starts the child. It stays tied to the thread that starts it, so one
// goroutine keeps that thread until the child has ended: with the thread, not
// with the process, ends what Pdeathsig calls the parent.
func start(dir string, log *os.File, args, environ []string) (*child, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the executable for the child process: %w", err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("open a pipe to the child process: %w", err)
	}
	cmd := exec.Command(exe, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), environ...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{w}
	cmd.SysProcAttr = dieWithParent()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open a pipe to the child process: %w", err), r.Close(), w.Close())
	}
	ch := &child{cmd: cmd, stdin: stdin, out: r, exited: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		w.Close() // the child has its own; ours would keep r from ending
		started <- err
		if err == nil {
			ch.err = cmd.Wait()
			close(ch.exited)
		}
	}()
	if err := <-started; err != nil {
		return nil, errors.Join(fmt.Errorf("start the child process %s: %w", exe, err), r.Close())
	}
	return ch, nil
}

// labelled is what the child's environment needs for its stacks to show the
// labels of goroutines.
func labelled() string {
	set := "tracebacklabels=1"
	if had := os.Getenv("GODEBUG"); had != "" {
		set = had + "," + set
	}
	return "GODEBUG=" + set
}

// kind is what the child's environment needs for it to know what it is.
func (c Command) kind() []string {
	if c.Place == "" {
		return []string{childEnv + "=" + ofMain}
	}
	dir, _ := os.Getwd() // without it the child stays where it begins
	return []string{childEnv + "=" + ofTest + c.Place, dirEnv + "=" + dir}
}

// procs is what the child's environment needs for Procs.
func (c Command) procs() []string {
	n := c.Procs
	if n == 0 && !c.Realtime {
		n = 1
	}
	if n == 0 {
		return nil
	}
	return []string{"GOMAXPROCS=" + strconv.Itoa(n)}
}

// envelope is the line that the child gets first.
func (c Command) envelope(record *record) ([]byte, error) {
	request, err := json.Marshal(c.Request)
	if err != nil {
		return nil, fmt.Errorf("encode the request to the child process: %w", err)
	}
	e := envelope{Realtime: c.Realtime, GCPercent: c.GCPercent, MemoryLimit: c.MemoryLimit, Profile: c.Profile, Exact: record, Request: request}
	if e.GCPercent == 0 {
		e.GCPercent = defaultGCPercent
	}
	if e.MemoryLimit == 0 {
		e.MemoryLimit = defaultMemoryLimit
	}
	line, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("encode the request to the child process: %w", err)
	}
	return append(line, '\n'), nil
}

// follow reads messages until the child has closed its end.
func (c Command) follow(out *os.File, exit *Exit) error {
	defer out.Close()
	in := bufio.NewReader(out)
	for {
		line, err := in.ReadBytes('\n')
		if err == io.EOF {
			return nil // half a line is what a crash leaves
		}
		if err != nil {
			return fmt.Errorf("read from the child process: %w", err)
		}
		var m message
		if err := json.Unmarshal(line, &m); err != nil {
			return fmt.Errorf("the child process sent %.100q: %w", line, err)
		}
		if m.End != nil {
			exit.Done, exit.Err = true, m.End.Error
		} else if c.OnProgress != nil {
			c.OnProgress(m.Progress)
		}
	}
}

// supervise waits for the end of the child and sees to it that it comes soon
// once ctx has ended.
func (c Command) supervise(ctx context.Context, ch *child) (stopped, killed bool) {
	select {
	case <-ch.exited:
		return false, false
	case <-ctx.Done():
	}
	_, _ = io.WriteString(ch.stdin, stopLine)
	grace := c.Grace
	if grace == 0 {
		grace = defaultGrace
	}
	if ch.endsWithin(grace) {
		return true, false
	}
	// a Go process writes all its stacks before it dies of this one
	_ = ch.cmd.Process.Signal(syscall.SIGQUIT)
	if !ch.endsWithin(quitGrace) {
		_ = ch.cmd.Process.Kill()
		<-ch.exited
	}
	return true, true
}

func (ch *child) endsWithin(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ch.exited:
		return true
	case <-t.C:
		return false
	}
}

// ended reads off how the process ended.
func (e *Exit) ended(ch *child) error {
	var failed *exec.ExitError
	if ch.err != nil && !errors.As(ch.err, &failed) {
		return fmt.Errorf("wait for the child process: %w", ch.err)
	}
	state := ch.cmd.ProcessState
	e.Code = state.ExitCode()
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		e.Signal = status.Signal().String()
	}
	peak, faults := memoryCost(state)
	e.Cost = Cost{CPU: state.UserTime() + state.SystemTime(), System: state.SystemTime(), PeakMemory: peak, PageFaults: faults}
	return nil
}

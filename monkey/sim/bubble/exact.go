// SPDX-License-Identifier: Apache-2.0

package bubble

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/drumbeat-raft/drumbeat/monkey/exact"
)

// Exact is what an exact run depends on, besides the program and its request.
type Exact struct {
	Seed    uint64
	Explore exact.Explore
	// Hold allows that hosts stand still, see exact.Settings.
	Hold bool
	// Trace, unless empty, is the file that gets the scheduling decisions, for
	// exact.Compare. Writing it changes none of them.
	Trace string
}

// traceRoom is how large a trace may get: a thousand million decisions. It is
// address space, and no memory or disk before it is written.
const traceRoom = 3 << 30

// record is what the child is told of an exact run: its settings, and the file
// for its state and trace.
type record struct {
	File    string        `json:"file"`
	Seed    uint64        `json:"seed"`
	Explore exact.Explore `json:"explore"`
	Hold    bool          `json:"hold"`
}

// runExact is Run for an exact run.
func (c Command) runExact(ctx context.Context) (exit Exit, err error) {
	if c.Realtime {
		return Exit{}, errors.New("an exact run needs virtual time")
	}
	if err := exact.Built(); err != nil {
		return Exit{}, err
	}
	file, done, err := c.Exact.file()
	if err != nil {
		return Exit{}, err
	}
	defer func() { err = errors.Join(err, done()) }()
	exit, err = c.run(ctx, &record{File: file, Seed: c.Exact.Seed, Explore: c.Exact.Explore, Hold: c.Exact.Hold})
	if err != nil {
		return exit, err
	}
	exit.Exact, err = exact.ReadState(file)
	return exit, err
}

// file makes the file of the record: the one for the trace, or one that is gone
// when done is called.
func (e *Exact) file() (file string, done func() error, err error) {
	if e.Trace != "" {
		file, err := filepath.Abs(e.Trace) // the child has a working directory of its own
		if err != nil {
			return "", nil, fmt.Errorf("the trace of an exact run: %w", err)
		}
		return file, func() error { return exact.Trim(file) }, exact.CreateRecord(file, traceRoom)
	}
	dir, err := os.MkdirTemp("", "drumbeat-exact-")
	if err != nil {
		return "", nil, fmt.Errorf("make a place for the state of an exact run: %w", err)
	}
	file = filepath.Join(dir, "state")
	remove := func() error { return os.RemoveAll(dir) }
	if err := exact.CreateRecord(file, 0); err != nil {
		return "", nil, errors.Join(err, remove())
	}
	return file, remove, nil
}

// environ is what the child's environment needs for it.
func (r *record) environ() []string {
	if r == nil {
		return nil
	}
	return exact.Environ(r.Seed)
}

// arm prepares the child for an exact run, if it is one, and returns what to
// call right before its bubble begins.
func (r *record) arm() (func(), error) {
	if r == nil {
		return func() {}, nil
	}
	to, err := exact.OpenRecord(r.File)
	if err != nil {
		return nil, err
	}
	return func() {
		if err := exact.Arm(exact.Settings{Seed: r.Seed, Explore: r.Explore, Hold: r.Hold, Record: to}); err != nil {
			fmt.Fprintln(os.Stderr, "bubble:", err)
			os.Exit(exitProtocol)
		}
	}, nil
}

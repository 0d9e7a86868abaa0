// SPDX-License-Identifier: Apache-2.0

package exact

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// The kinds of a trace's records, as the runtime writes them: a kind and a
// number in one varint, and for a created goroutine more.
const (
	traceRun     = iota // a goroutine was chosen to run
	traceCreated        // goroutine; its creator, and the names of its first function and of the one that started it, follow
	traceInstant        // the clock moved; nanoseconds since the beginning
	traceNote           // the program noted something; a part of its hash
	traceDrawn          // random numbers were drawn since the last decision; a part of where their streams are
	traceEvents         // locks, channel operations and reads of the clock since the last decision, while exploring
	traceKinds   = 8
)

// maxName bounds the name of a function in a trace.
const maxName = 1024

// Goroutine is one of the bubble.
type Goroutine struct {
	ID    uint64 // in order of creation, from 1
	Entry string // the function it began with
	// Starter is the function that started it, as far as it is not of a package
	// that starts goroutines for others. Empty: a timer.
	Starter string
}

func (g Goroutine) String() string {
	if g.Starter == "" {
		return fmt.Sprintf("goroutine %d (%s)", g.ID, g.Entry)
	}
	return fmt.Sprintf("goroutine %d (%s, started by %s)", g.ID, g.Entry, g.Starter)
}

// event is a record of a trace.
type event struct {
	kind    uint64
	number  uint64
	from    uint64 // a created goroutine's creator
	created Goroutine
}

// Trace reads the decisions of an execution, in order.
type Trace struct {
	name      string
	in        *bufio.Reader
	file      *os.File
	decisions uint64
	now       time.Duration
	known     map[uint64]Goroutine
	last      []Goroutine // that ran, oldest first
}

// recent is how many of the last goroutines are remembered, for the report of
// where executions part.
const recent = 8

// OpenTrace opens the file of a record. Close it.
func OpenTrace(path string) (*Trace, error) {
	s, err := readState(path)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the trace of an exact run: %w", err)
	}
	body := io.NewSectionReader(f, headerSize, int64(s.traceLen))
	return &Trace{name: path, in: bufio.NewReader(body), file: f, known: map[uint64]Goroutine{}}, nil
}

// Close closes the file.
func (t *Trace) Close() error { return t.file.Close() }

// next reads a record. The error is io.EOF at the end.
func (t *Trace) next() (event, error) {
	v, err := binary.ReadUvarint(t.in)
	if err == io.EOF {
		return event{}, io.EOF
	}
	s := event{kind: v % traceKinds, number: v / traceKinds}
	if err == nil && s.kind == traceCreated {
		err = t.created(&s)
	}
	if err != nil {
		return event{}, fmt.Errorf("%s is damaged after decision %d: %w", t.name, t.decisions, err)
	}
	switch s.kind {
	case traceRun:
		t.decisions++
		if len(t.last) == recent {
			t.last = append(t.last[:0], t.last[1:]...)
		}
		t.last = append(t.last, t.goroutine(s.number))
	case traceInstant:
		t.now = time.Duration(s.number)
	}
	return s, nil
}

// created reads the rest of a created goroutine's record.
func (t *Trace) created(s *event) (err error) {
	if s.from, err = binary.ReadUvarint(t.in); err != nil {
		return err
	}
	s.created.ID = s.number
	if s.created.Entry, err = t.function(); err != nil {
		return err
	}
	s.created.Starter, err = t.function()
	t.known[s.number] = s.created
	return err
}

// function reads the name of a function.
func (t *Trace) function() (string, error) {
	n, err := binary.ReadUvarint(t.in)
	if err != nil {
		return "", err
	}
	if n > maxName {
		return "", errors.New("a function's name is too long")
	}
	name := make([]byte, n)
	_, err = io.ReadFull(t.in, name)
	return string(name), err
}

func (t *Trace) goroutine(id uint64) Goroutine {
	g, ok := t.known[id]
	if !ok {
		g = Goroutine{ID: id, Entry: "unknown"}
	}
	return g
}

// describe says in words what a record is.
func (t *Trace) describe(s event) string {
	switch s.kind {
	case traceRun:
		return "ran " + t.goroutine(s.number).String()
	case traceCreated:
		return fmt.Sprintf("%s started %s", t.goroutine(s.from), t.goroutine(s.number))
	case traceInstant:
		return fmt.Sprintf("moved the clock to %s", time.Duration(s.number))
	}
	by := "nobody"
	if n := len(t.last); n > 0 {
		by = t.last[n-1].String()
	}
	if s.kind == traceEvents {
		return fmt.Sprintf("met %d locks, channels and reads of the clock, in %s", s.number, by)
	}
	what := "noted other data"
	if s.kind == traceDrawn {
		what = "drew other random numbers"
	}
	return fmt.Sprintf("%s (%08x), in %s", what, s.number, by)
}

// Difference is where two executions part.
type Difference struct {
	// Decision is the number of decisions that they have in common.
	Decision uint64
	// Now is the time since the beginning of the bubble at that point.
	Now time.Duration
	// Before are the goroutines that ran last, in both.
	Before []Goroutine
	// EndedA and EndedB report which of the executions ended there.
	EndedA, EndedB bool
	// A and B are what the executions did next: who ran, what was started, what
	// was noted, or that it ended.
	A, B string
}

func (d *Difference) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "the executions part after decision %d, at %s\n", d.Decision, d.Now)
	for i, g := range d.Before {
		fmt.Fprintf(&b, "  %d  both ran %s\n", d.Decision-uint64(len(d.Before)-1-i), g)
	}
	fmt.Fprintf(&b, "  then the first %s\n  and the second %s\n", d.A, d.B)
	return b.String()
}

// Compare reads two traces side by side and returns where they part, or nil if
// they are the same.
func Compare(a, b *Trace) (*Difference, error) {
	for {
		decision, now := a.decisions, a.now
		x, errX := a.next()
		y, errY := b.next()
		if errX == io.EOF && errY == io.EOF {
			return nil, nil
		}
		for _, err := range []error{errX, errY} {
			if err != nil && err != io.EOF {
				return nil, err
			}
		}
		if x == y && errX == errY {
			continue
		}
		before := a.last
		if a.decisions > decision {
			before = before[:len(before)-1]
		}
		return &Difference{Decision: decision, Now: now, Before: before,
			EndedA: errX == io.EOF, EndedB: errY == io.EOF, A: a.ending(x, errX), B: b.ending(y, errY)}, nil
	}
}

func (t *Trace) ending(s event, err error) string {
	if err == io.EOF {
		return "ended"
	}
	return t.describe(s)
}

// SPDX-License-Identifier: Apache-2.0

package timeline

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"time"
)

// FileName is the event log's name in the directory of a run.
const FileName = "events.jsonl"

// Entry is a fact, and when it happened: the time since the run's start on its
// own clock, virtual or real, the one that the history's times are on.
type Entry struct {
	At   time.Duration
	Fact Fact
}

// Kind is what the fact is called in events.jsonl.
func (e Entry) Kind() string { return e.Fact.kind() }

// envelope is what every line of events.jsonl has beside its fact's fields.
type envelope struct {
	At   time.Duration `json:"at_ns"`
	Kind string        `json:"kind"`
}

// Log appends to a run's events.jsonl. It is safe for concurrent use. Every
// line is written at once: a run that is killed leaves whole lines.
type Log struct {
	mu    sync.Mutex
	f     *os.File
	start time.Time
	err   error
}

// Create starts the event log of a run that began at start.
func Create(dir string, start time.Time) (*Log, error) {
	f, err := os.Create(filepath.Join(dir, FileName))
	if err != nil {
		return nil, fmt.Errorf("start the run's event log: %w", err)
	}
	return &Log{f: f, start: start}, nil
}

// Since returns t as a time since the run's start.
func (l *Log) Since(t time.Time) time.Duration { return t.Sub(l.start) }

// Add writes a fact of the present time.
func (l *Log) Add(f Fact) { l.AddAt(time.Now(), f) }

// AddAt writes a fact that happened at t.
func (l *Log) AddAt(t time.Time, f Fact) {
	line, err := Entry{l.Since(t), f}.marshal()
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		_, err = l.f.Write(line)
	}
	if err != nil && l.err == nil {
		l.err = fmt.Errorf("write the run's event log: %w", err)
	}
}

// Close ends the log and returns the first error of its whole life.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.f.Close(); err != nil && l.err == nil {
		l.err = fmt.Errorf("close the run's event log: %w", err)
	}
	return l.err
}

// marshal makes a line: the fact's fields behind those of the envelope.
func (e Entry) marshal() ([]byte, error) {
	line, err := json.Marshal(envelope{e.At, e.Fact.kind()})
	if err != nil {
		return nil, err
	}
	fields, err := json.Marshal(e.Fact)
	if err != nil {
		return nil, err
	}
	line = append(line[:len(line)-1], ',')
	return append(append(line, fields[1:]...), '\n'), nil
}

func (e *Entry) unmarshal(line []byte) error {
	var head envelope
	if err := json.Unmarshal(line, &head); err != nil {
		return err
	}
	at := slices.IndexFunc(facts, func(f Fact) bool { return f.kind() == head.Kind })
	if at < 0 {
		return fmt.Errorf("found the kind %q, which this version does not know", head.Kind)
	}
	fact := reflect.New(reflect.TypeOf(facts[at]))
	if err := json.Unmarshal(line, fact.Interface()); err != nil {
		return err
	}
	e.At, e.Fact = head.At, fact.Elem().Interface().(Fact)
	return nil
}

// maxLine bounds a line of events.jsonl, in bytes.
const maxLine = 1 << 20

// readEntries reads a run's event log, and returns its entries in the order in
// which they happened. The last line may be torn by a kill: it is left out
// then. Any other bad line is an error with its number.
func readEntries(dir string) ([]Entry, error) {
	path := filepath.Join(dir, FileName)
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var entries []Entry
	sc := bufio.NewScanner(bytes.NewReader(b))
	sc.Buffer(nil, maxLine)
	for n := 1; sc.Scan(); n++ {
		var e Entry
		if err := e.unmarshal(sc.Bytes()); err != nil {
			if !sc.Scan() {
				break
			}
			return nil, fmt.Errorf("%s:%d: not an event of a run: %w", path, n, err)
		}
		entries = append(entries, e)
	}
	if err := sc.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	// Leaders are announced before they are written down.
	slices.SortStableFunc(entries, func(a, b Entry) int { return cmp.Compare(a.At, b.At) })
	return entries, nil
}

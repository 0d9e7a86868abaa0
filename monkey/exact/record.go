// SPDX-License-Identifier: Apache-2.0

package exact

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"
	"unsafe"
)

// state is laid out as the runtime's exactState, in memory as in a file.
type state struct {
	hash, decisions, now, goroutines, notes, foreign, foreignAt, traceLen, traceFull, collected, preempted uint64
}

// State is how far an execution has come.
type State struct {
	// Fingerprint is a hash of all scheduling decisions, of the instants they
	// were made at, and of all notes. Zero: nothing was executed exactly.
	Fingerprint uint64
	// Decisions counts the goroutines that were chosen to run.
	Decisions uint64
	// Now is the time since the beginning of the bubble, on its clock.
	Now time.Duration
	// Goroutines counts those that were started in the bubble.
	Goroutines uint64
	// Notes counts what the program mixed in.
	Notes uint64
	// Foreign counts how often something outside of the bubble woke a goroutine
	// of it, which may happen sooner or later in another run. The first time was
	// after decision ForeignAt.
	Foreign, ForeignAt uint64
	// TraceFull reports that the trace had no room for the whole execution.
	TraceFull bool
	// Collections counts garbage collections. They fall between decisions and change
	// none: two runs of the same execution may differ here by a few.
	Collections uint64
	// Preempted counts the goroutines that exploration preempted.
	Preempted uint64
}

func (s *state) public() State {
	return State{
		Fingerprint: s.hash, Decisions: s.decisions, Now: time.Duration(s.now), Goroutines: s.goroutines, Notes: s.notes,
		Foreign: s.foreign, ForeignAt: s.foreignAt, TraceFull: s.traceFull != 0, Collections: s.collected, Preempted: s.preempted,
	}
}

// Record is where an execution is written down while it goes on. In a file it
// survives the process, however that ends.
type Record struct {
	state *state
	trace []byte
}

// A record's file has the magic, the state, and from headerSize on the trace.
const (
	magic      = "drumbeat exact 1"
	headerSize = 4096
)

// CreateRecord makes the file of a record, with room for so many bytes of
// trace; 0 writes none. A decision takes about three. The file takes no more
// space than what is written; Trim shortens it to that when the process that
// writes has ended.
func CreateRecord(path string, room int64) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return fmt.Errorf("make the record of an exact run: %w", err)
	}
	_, err = f.WriteString(magic)
	if err == nil {
		err = f.Truncate(headerSize + room)
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("make the record of an exact run: %w", err)
	}
	return nil
}

// OpenRecord opens what CreateRecord made, to be given to Arm. It stays mapped
// until the process ends.
func OpenRecord(path string) (*Record, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("open the record of an exact run: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("open the record of an exact run: %w", err)
	}
	if info.Size() < headerSize {
		return nil, fmt.Errorf("%s is not the record of an exact run: it is too short", path)
	}
	m, err := mapShared(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("map the record of an exact run %s into memory: %w", path, err)
	}
	if string(m[:len(magic)]) != magic {
		return nil, fmt.Errorf("%s is not the record of an exact run", path)
	}
	return &Record{state: (*state)(unsafe.Pointer(&m[len(magic)])), trace: m[headerSize:]}, nil
}

// State returns how far the execution has come. While it goes on, only a
// goroutine of its bubble gets a state that is of one moment.
func (r *Record) State() State { return r.state.public() }

// ReadState reads from the file of a record how far the execution came.
func ReadState(path string) (State, error) {
	s, err := readState(path)
	if err != nil {
		return State{}, err
	}
	return s.public(), nil
}

func readState(path string) (*state, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the record of an exact run: %w", err)
	}
	defer f.Close()
	var header struct {
		Magic [len(magic)]byte
		Words [unsafe.Sizeof(state{}) / 8]uint64
	}
	if err := binary.Read(f, binary.NativeEndian, &header); err != nil {
		return nil, fmt.Errorf("%s is not the record of an exact run: %w", path, err)
	}
	if string(header.Magic[:]) != magic {
		return nil, fmt.Errorf("%s is not the record of an exact run", path)
	}
	s := *(*state)(unsafe.Pointer(&header.Words))
	return &s, nil
}

// Trim shortens a record's file to what was written.
func Trim(path string) error {
	s, err := readState(path)
	if err != nil {
		return err
	}
	if err := os.Truncate(path, headerSize+int64(s.traceLen)); err != nil {
		return fmt.Errorf("shorten the record of an exact run: %w", err)
	}
	return nil
}

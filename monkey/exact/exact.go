// SPDX-License-Identifier: Apache-2.0

package exact

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"time"
	"unsafe"
)

// version is that of the interface between this package and the runtime's file
// in the overlay.
const version = 4

// table is what the file that the overlay adds to package runtime offers.
type table struct {
	version uint64
	process func() (seed uint64, ok bool)
	arm     func(settings *settings, state *state, trace unsafe.Pointer) bool
	member  func() bool
	note    func(uint64)
	look    func(at uint64, look func(at uint64) (next uint64))
	apart   func(bool)
	join    func(group uint64)
	hold    func(group uint64) bool
	woken   func(group uint64) int
	release func(group uint64)
}

// hooks is set by the linker in a program that was built with the overlay, and
// empty in any other.
//
//go:linkname hooks
var hooks table

// settings are laid out as the runtime's exactSettings.
type settings struct {
	seed, order, changes, horizon, pause, traceRoom, hold uint64
}

// ErrNotBuilt reports that the program was built without the overlay.
var ErrNotBuilt = errors.New("this program was built without the overlay of the Go runtime that makes its simulation repeatable (build it with `go build -overlay=$(monkey overlay)`)")

// Built returns nil if the program was built with the overlay, and otherwise
// why it cannot run anything exactly.
func Built() error {
	switch hooks.version {
	case version:
		return nil
	case 0:
		return ErrNotBuilt
	}
	return fmt.Errorf("this program was built with an overlay for another version of itself (%d instead of %d): build it again", hooks.version, version)
}

// variable is what makes a process exact from its start.
const variable = "DRUMBEAT_EXACT"

// Environ returns what a child's environment needs besides the parent's for
// the child to be exact from its start.
func Environ(seed uint64) []string {
	return []string{variable + "=" + strconv.FormatUint(seed, 10), "GOMAXPROCS=1"}
}

// Process returns the seed of Environ, and whether the process was started
// with it by a program with the overlay.
func Process() (seed uint64, ok bool) {
	if Built() != nil {
		return 0, false
	}
	return hooks.process()
}

// Order is how the goroutine that runs next is chosen among those that can.
type Order uint64

// The orders. The numbers are the runtime's.
const (
	// FIFO is the order of Go's scheduler: first come, first served, but a
	// goroutine that was just woken goes first.
	FIFO Order = iota
	// Shuffle takes any of them, by chance.
	Shuffle
	// Priorities takes the one with the highest priority. Priorities are drawn
	// at creation; a goroutine that yields or is preempted gets the lowest. With
	// a bounded number of preemptions this is probabilistic concurrency testing
	// (Burckhardt, Kothari, Musuvathi, Nagarakatte: A Randomized Scheduler with
	// Probabilistic Guarantees of Finding Bugs, ASPLOS 2010).
	Priorities
)

// Explore is how interleavings are drawn. The zero value is what Go does
// without preemption.
type Explore struct {
	Order Order
	// Preemptions is how many goroutines are preempted in the middle of what
	// they do: each a few locks, channel operations or reads of the clock after a
	// decision that is drawn from one of so many equal parts of the Horizon.
	Preemptions int
	// Horizon is about how many decisions the run will have.
	Horizon int
	// Pause is how long, on the bubble's clock, a preempted goroutine stays away
	// at most, also while it holds a lock, as a thread does that the operating
	// system has put aside. 0: it only lets those go first that can run.
	Pause time.Duration
}

// Settings are what a bubble's execution depends on, besides its program.
type Settings struct {
	Seed    uint64
	Explore Explore
	// Hold allows Group.Hold. Who waits for a lock is idle then, as the lock may be
	// one of a goroutine that is held.
	Hold bool
	// Record, unless nil, gets the state of the execution and its trace. It has
	// to stay open until the bubble has ended.
	Record *Record
}

// Arm makes the next bubble of this process the exact one. Call it outside of
// any bubble, with nothing else at work, and begin the bubble next. It sets
// GOMAXPROCS to 1 and leaves it so.
func Arm(s Settings) error {
	if err := Built(); err != nil {
		return err
	}
	e := s.Explore
	if e.Preemptions < 0 || e.Horizon < e.Preemptions || e.Pause < 0 || e.Order > Priorities {
		return fmt.Errorf("order %d, %d preemptions within %d decisions, pauses of %s: there are no such settings for exploring", e.Order, e.Preemptions, e.Horizon, e.Pause)
	}
	r := s.Record
	if r == nil {
		r = &inMemory
	}
	runtime.GOMAXPROCS(1)
	// What was dead before the bubble begins is not found in the middle of it,
	// and pools are empty: those keep an object through one collection.
	runtime.GC()
	runtime.GC()
	set := &settings{
		seed: s.Seed, order: uint64(e.Order), traceRoom: uint64(len(r.trace)),
		changes: uint64(e.Preemptions), horizon: uint64(e.Horizon), pause: uint64(e.Pause),
	}
	if s.Hold {
		set.hold = 1
	}
	var trace unsafe.Pointer
	if len(r.trace) > 0 {
		trace = unsafe.Pointer(&r.trace[0])
	}
	if !hooks.arm(set, r.state, trace) {
		return errors.New("another bubble of this process is exact already")
	}
	armed = r
	return nil
}

// armed is the record of the last Arm. The runtime's reference to it is not
// known to the collector.
var armed *Record

// inMemory is for bubbles of which no record is wanted.
var inMemory = Record{state: &state{}}

// InBubble reports whether the calling goroutine is of the exact bubble.
func InBubble() bool { return Built() == nil && hooks.member() }

// Note mixes data into the fingerprint, if the calling goroutine is of the
// exact bubble: messages, answers, whatever has to be the same in every run. It
// costs next to nothing elsewhere.
func Note(data []byte) {
	if InBubble() {
		hooks.note(hash(data))
	}
}

// NoteString is Note for a string.
func NoteString(s string) { Note(unsafe.Slice(unsafe.StringData(s), len(s))) }

// Sofar returns the state of the exact bubble in this process, or of the last
// one: its execution up to this decision.
func Sofar() State {
	if armed == nil {
		return State{}
	}
	return armed.State()
}

// Look has look called at the given instants of the exact bubble, counted from
// its beginning, in order of time: when all that happens up to such an instant
// has happened, and before the clock moves on. At that moment every goroutine of
// the bubble waits. look itself runs outside of the bubble and takes real time;
// nobody in the bubble can notice it, as long as it writes nothing that they read,
// takes no lock that one of them may hold, and uses no channel, timer or pool of
// theirs. Call Look in the bubble. A second call replaces the first.
//
// Instants that have passed are looked at at once; those after the end of the
// bubble never.
func Look(at []time.Duration, look func(at time.Duration)) error {
	if err := Built(); err != nil {
		return err
	}
	const never = ^uint64(0)
	instants := slices.Sorted(slices.Values(at))
	next := func() uint64 {
		if len(instants) == 0 {
			return never
		}
		return uint64(instants[0])
	}
	if first := next(); first != never {
		hooks.look(first, func(at uint64) uint64 {
			instants = instants[1:]
			look(time.Duration(at))
			return next()
		})
	}
	return nil
}

// Apart begins or ends a part of what the calling goroutine does that other
// runs of the same execution may not have, such as writing more logs. In it the
// goroutine draws from other random numbers, notes nothing, and is not preempted.
// It must not wait for anybody in it, nor start a goroutine.
func Apart(apart bool) {
	if InBubble() {
		hooks.apart(apart)
	}
}

// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"internal/runtime/math"
	"internal/stringslite"
	"unsafe"
)

// This file and its neighbours of the same prefix are added to package runtime by
// Drumbeat's overlay; the edits beside them call what is here. They make the
// goroutines of one synctest bubble run in an order that depends on a seed and on
// nothing else, and write that order down.
//
// The bubble's goroutines have a run queue of their own, which is looked at
// when no other goroutine can run. There is one P, so whoever holds it owns all
// of the state below, and nothing here takes a lock. What is not of the bubble
// (collector, finalizers, whoever reads standard input) is scheduled as ever
// and shares no queue, counter or random number with the bubble.

// exactVersion is compared with the one of package monkey/exact.
const exactVersion = 4

// exactEnv in the environment makes the whole process exact, from its first
// random number on. Its value is a decimal seed.
const exactEnv = "DRUMBEAT_EXACT="

// exactG is what a goroutine of the bubble has besides the rest of its g.
type exactG struct {
	id       uint64 // number in order of creation, from 1; 0: not of the bubble
	entry    uint64 // hash of the name of its first function
	group    uint64 // whom it is held with, see exactHold; 0: nobody
	priority uint64 // for exactPriorities: higher runs first
	preempt  bool   // exactEvent wants it preempted
	apart    bool   // what it does is not of the execution, see exactApart
}

// exactState is written for others to read, also after a crash: it may lie in
// a shared mapping of a file. Package monkey/exact knows the same layout.
type exactState struct {
	hash       uint64 // of all decisions, instants and notes so far
	decisions  uint64 // goroutines that were chosen to run
	now        uint64 // nanoseconds since the bubble's beginning
	goroutines uint64 // created in the bubble
	notes      uint64 // mixed into the hash by the program
	foreign    uint64 // times that something outside made a goroutine of the bubble run
	foreignAt  uint64 // the number of decisions at the first of them
	traceLen   uint64 // bytes of the trace
	traceFull  uint64 // 1: the trace had no room for all
	collected  uint64 // garbage collections
	preempted  uint64 // goroutines that were preempted by exploration
}

// exactSettings come from package monkey/exact, which knows the same layout.
type exactSettings struct {
	seed      uint64
	order     uint64 // exactFIFO, …
	changes   uint64 // points of preemption
	horizon   uint64 // the decisions among which these are drawn
	pause     uint64 // nanoseconds that a preempted goroutine stays away at most; 0: it only yields
	traceRoom uint64
	hold      uint64 // 1: groups may be held
}

// Orders in which goroutines of the bubble that can run are chosen.
const (
	exactFIFO       = 0 // as Go does: first come, first served, but who was just woken goes first
	exactShuffle    = 1 // any of them, by chance
	exactPriorities = 2 // the one with the highest priority; priorities are drawn at creation
)

const (
	// exactSlice is how often in a row a goroutine that was just woken may go
	// before those that wait: what Go bounds by time.
	exactSlice = 64
	// exactLevel is how many decisions in one instant make exactPriorities lower
	// the priority of the goroutine that runs: two that wake each other forever
	// would starve the third, for which they wait.
	exactLevel = 4096
	// exactLeastGrowth is the part by which the heap has to grow between two
	// collections, whatever the memory limit: 1/8.
	exactLeastGrowth = 8
	// exactMaxEvents bounds how many events (exactEvent) there are between the
	// decision that is a point of preemption and the preemption.
	exactMaxEvents = 64
	// exactMaxSpin bounds the events of a decision. Who goes on for longer tries
	// again and again what another goroutine has to do first (gRPC does, with
	// calls on a connection that is about to be closed), and nobody else ever
	// takes the processor away.
	exactMaxSpin = 1 << 16
)

// Random streams: none is shared by two purposes, so that a draw more for one
// does not shift the others.
const (
	exactStreamInit  = iota // the main goroutine of an exact process, outside of the bubble
	exactStreamRand         // rand: map seeds, math/rand, crypto/rand
	exactStreamOrder        // select, timers of one instant
	exactStreamExplore
	exactStreams
)

var exact struct {
	process         bool   // the environment has exactEnv
	seed            uint64 // of exactEnv
	armed           bool   // the next bubble is the one
	asyncpreemptoff int32  // as it was before
	bubble          *synctestBubble

	settings exactSettings
	state    *exactState
	trace    unsafe.Pointer // settings.traceRoom bytes

	next   guintptr // was just woken
	queue  gQueue
	slice  uint64   // how often in a row next went first
	chosen guintptr // to run now
	last   guintptr // chosen before

	start   int64  // the bubble's clock at its beginning
	now     int64  // the bubble's clock at the last decision
	instant uint64 // decisions in this instant
	stream  [exactStreams]uint64
	draws   uint64 // where the streams were at the last decision

	numbers  fixalloc // of exactNumbered; guarded by mheap_.speciallock
	numbered uint64   // objects that the bubble numbered

	lowest  uint64 // the lowest priority given so far
	changed uint64 // how many points of preemption have come
	change  uint64 // the decision that is the next one
	events  uint64 // events until a goroutine is preempted; 0: none is to be
	spun    uint64 // events since the last decision

	// look is called when all that happens up to lookAt, on the scale of
	// exactState.now, has happened. It returns the next such instant.
	look   func(at uint64) (next uint64)
	lookAt uint64
}

// exactHooks is where package monkey/exact finds this file. In a program built
// without the overlay its variable is empty.
//
//go:linkname exactHooks github.com/drumbeat-raft/drumbeat/monkey/exact.hooks
var exactHooks = exactTable{
	version: exactVersion,
	process: exactProcess,
	arm:     exactArm,
	member:  exactInBubble,
	note:    exactNote,
	look:    exactSetLook,
	apart:   exactApart,
	join:    exactJoin,
	hold:    exactHold,
	woken:   exactWoken,
	release: exactRelease,
}

type exactTable struct {
	version uint64
	process func() (seed uint64, ok bool)
	arm     func(settings *exactSettings, state *exactState, trace unsafe.Pointer) bool
	member  func() bool
	note    func(uint64)
	look    func(at uint64, look func(at uint64) (next uint64))
	apart   func(bool)
	join    func(group uint64)
	hold    func(group uint64) bool
	woken   func(group uint64) int
	release func(group uint64)
}

// exactSeed finds exactEnv, fixes the random numbers of the process by it, and
// reports whether it was there.
func exactSeed(seed []byte) bool {
	switch GOOS {
	case "darwin", "dragonfly", "freebsd", "linux", "netbsd", "openbsd":
	default: // the environment is not to be had this early
		return false
	}
	for n := int32(0); argv_index(argv, argc+1+n) != nil; n++ {
		p := argv_index(argv, argc+1+n)
		s := unsafe.String(p, findnull(p))
		if !stringslite.HasPrefix(s, exactEnv) {
			continue
		}
		for _, c := range []byte(s[len(exactEnv):]) {
			exact.seed = exact.seed*10 + uint64(c-'0')
		}
		exact.process = true
		exactSeedStreams(exact.seed)
		for i := range seed {
			seed[i] = byte(exactDraw(exactStreamInit))
		}
		// What sizes itself by the machine is the same on every machine.
		numCPUStartup = 1
		return true
	}
	return false
}

func exactProcess() (seed uint64, ok bool) { return exact.seed, exact.process }

func exactSeedStreams(seed uint64) {
	for i := range exact.stream {
		exact.stream[i] = (seed + 1) * 0x9e3779b97f4a7c15 * uint64(2*i+1)
	}
}

// exactDraw is splitmix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom
// Number Generators, 2014).
//
//go:nosplit
func exactDraw(stream int) uint64 {
	exact.stream[stream] += 0x9e3779b97f4a7c15
	z := exact.stream[stream]
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb
	return z ^ (z >> 31)
}

// exactBelow draws a number below n > 0.
func exactBelow(stream int, n uint64) uint64 {
	hi, _ := math.Mul64(exactDraw(stream), n)
	return hi
}

// exactRand is rand for those who have to draw the same in every run.
//
//go:nosplit
func exactRand(gp *g) (uint64, bool) {
	switch {
	case gp == nil:
	case exactMember(gp):
		if gp.exact.apart {
			return 0, false
		}
		return exactDraw(exactStreamRand), true
	case exact.process && gp.goid == 1:
		return exactDraw(exactStreamInit), true
	}
	return 0, false
}

// exactCheaprand is cheaprand for what orders goroutines. Not all of cheaprand:
// profiling and lock statistics draw from that at any time.
//
//go:nosplit
func exactCheaprand() uint32 {
	if gp := getg().m.curg; gp != nil && exactMember(gp) {
		if gp.exact.apart {
			return cheaprand()
		}
		return uint32(exactDraw(exactStreamOrder))
	}
	// The bubble's timers run on the system stack of its root, without a curg.
	if exact.bubble != nil && getg().bubble == exact.bubble {
		return uint32(exactDraw(exactStreamOrder))
	}
	return cheaprand()
}

//go:nosplit
func exactCheaprandn(n uint32) uint32 {
	return uint32((uint64(exactCheaprand()) * uint64(n)) >> 32)
}

// exactMember reports whether a goroutine is of the bubble.
//
//go:nosplit
func exactMember(gp *g) bool { return gp.bubble != nil && gp.bubble == exact.bubble }

func exactInBubble() bool { return exactMember(getg()) }

// exactArm makes the next bubble the exact one. It reports whether it could:
// there is one at a time, and GOMAXPROCS has to be 1.
func exactArm(settings *exactSettings, state *exactState, trace unsafe.Pointer) bool {
	if exact.armed || exact.bubble != nil || gomaxprocs != 1 {
		return false
	}
	exact.settings, exact.state, exact.trace = *settings, state, trace
	exact.armed = true
	return true
}

// exactBegin makes a bubble whose root is the caller the exact one, if armed.
func exactBegin(bubble *synctestBubble, root *g) {
	if !exact.armed {
		return
	}
	exact.armed = false
	exactSeedStreams(exact.settings.seed)
	exact.next, exact.queue, exact.slice, exact.chosen, exact.last = 0, gQueue{}, 0, 0, 0
	exact.start, exact.now, exact.instant = bubble.now, bubble.now, 0
	exact.lowest, exact.changed, exact.events, exact.spun = 1<<32, 0, 0, 0
	exact.look, exact.lookAt = nil, 0
	exactHeldCount = 0
	*exact.state = exactState{hash: exact.settings.seed}
	exactDrawChange()
	// A goroutine of the bubble is preempted where exactEvent says or nowhere.
	exact.asyncpreemptoff, debug.asyncpreemptoff = debug.asyncpreemptoff, 1
	exact.bubble = bubble
	exactCreated(root, nil)
}

// exactEnd ends the exactness of a bubble, if it was the exact one.
func exactEnd(bubble *synctestBubble) {
	if exact.bubble == bubble {
		exact.bubble = nil
		debug.asyncpreemptoff = exact.asyncpreemptoff
	}
}

// exactDrawChange draws the next point of preemption: one in each of so many
// equal parts of the horizon.
func exactDrawChange() {
	set := &exact.settings
	if exact.changed >= set.changes {
		exact.change = ^uint64(0)
		return
	}
	part := max(set.horizon/set.changes, 1)
	exact.change = exact.changed*part + 1 + exactBelow(exactStreamExplore, part)
}

// exactCreated numbers a new goroutine.
func exactCreated(gp *g, creator *g) {
	gp.exact = exactG{}
	if !exactMember(gp) {
		return
	}
	if creator != nil {
		gp.exact.group = creator.exact.group
	}
	s := exact.state
	s.goroutines++
	gp.exact.id = s.goroutines
	name := exactFunction(gp.startpc)
	h := uint64(0xcbf29ce484222325) // FNV-1a
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 0x100000001b3
	}
	gp.exact.entry = h
	if exact.settings.order == exactPriorities {
		gp.exact.priority = 1<<33 + exactDraw(exactStreamExplore)>>31
	}
	from := uint64(0)
	if creator != nil {
		from = creator.exact.id
	}
	if exactRecord(exactTraceCreated, gp.exact.id) {
		exactUvarint(from)
		exactString(name)
		exactString(exactStarter(creator))
	}
}

// exactFunction names the function that a pc is in.
func exactFunction(pc uintptr) string {
	name := "?"
	if f := findfunc(pc); f.valid() {
		name = funcname(f)
	}
	return name[:min(len(name), exactMaxName)]
}

// exactStarter names the function that has a goroutine started: the innermost
// one on the creator's stack that is not of a package which starts goroutines
// for others.
func exactStarter(creator *g) string {
	if creator == nil || creator.goid == 0 { // a timer
		return ""
	}
	var pcs [8]uintptr
	n := gcallers(creator, 0, pcs[:])
	name := ""
	for _, pc := range pcs[:n] {
		f := exactFunction(pc - 1)
		if stringslite.HasPrefix(f, "runtime.") {
			continue
		}
		if name = f; !exactStartsForOthers(f) {
			break
		}
	}
	return name
}

// exactStartsForOthers reports whether a function is of a package that starts
// goroutines for others.
func exactStartsForOthers(function string) bool {
	for _, p := range [...]string{"sync.", "golang.org/x/sync/", "github.com/lni/goutils/syncutil."} {
		if stringslite.HasPrefix(function, p) {
			return true
		}
	}
	return false
}

// exactPut puts a goroutine of the bubble into the bubble's queue and reports
// whether it did: others are not its business.
//
//go:nowritebarrierrec
func exactPut(gp *g, next bool) bool {
	if !exactMember(gp) {
		return false
	}
	if gomaxprocs != 1 {
		throw("GOMAXPROCS is no longer 1 in an exact bubble")
	}
	if curg := getg().m.curg; curg != nil && !exactMember(curg) {
		exactForeign()
	}
	if exact.settings.order == exactFIFO && next {
		was := exact.next
		exact.next.set(gp)
		if was == 0 {
			return true
		}
		gp = was.ptr()
	}
	exact.queue.pushBack(gp)
	return true
}

// exactYield is exactPut for a goroutine that lets others go first.
//
//go:nowritebarrierrec
func exactYield(gp *g) bool {
	if exactMember(gp) && exact.settings.order == exactPriorities {
		exactLower(gp)
	}
	return exactPut(gp, false)
}

// exactLower makes a goroutine the last of all.
func exactLower(gp *g) {
	exact.lowest--
	gp.exact.priority = exact.lowest
}

// exactPending reports whether a goroutine of the bubble waits to run. Others
// than the owner of the P get no more than a hint.
func exactPending() bool { return exact.next != 0 || exact.queue.head != 0 }

// exactGet chooses the goroutine of the bubble that runs next. There may be
// none.
func exactGet() *g {
	if !exactPending() {
		return nil
	}
	var gp *g
	switch exact.settings.order {
	case exactShuffle:
		gp = exactTake(exactBelow(exactStreamExplore, uint64(exact.queue.size)))
	case exactPriorities:
		gp = exactHighest()
	default:
		gp = exactFirst()
	}
	exact.chosen.set(gp)
	return gp
}

// exactFirst takes the goroutine that was just woken, or the first of the
// queue.
func exactFirst() *g {
	if exact.next != 0 && (exact.slice < exactSlice || exact.queue.empty()) {
		gp := exact.next.ptr()
		exact.next = 0
		exact.slice++
		return gp
	}
	exact.slice = 0
	return exact.queue.pop()
}

// exactTake takes the i-th of the queue.
func exactTake(i uint64) *g {
	var before *g
	gp := exact.queue.head.ptr()
	for ; i > 0; i-- {
		before, gp = gp, gp.schedlink.ptr()
	}
	if before == nil {
		return exact.queue.pop()
	}
	before.schedlink = gp.schedlink
	if exact.queue.tail.ptr() == gp {
		exact.queue.tail.set(before)
	}
	exact.queue.size--
	gp.schedlink = 0
	return gp
}

// exactHighest takes the goroutine with the highest priority.
func exactHighest() *g {
	if exact.instant > 0 && exact.instant%exactLevel == 0 {
		if last := exact.last.ptr(); last != nil {
			exactLower(last)
		}
	}
	best, at, i := uint64(0), uint64(0), uint64(0)
	for gp := exact.queue.head.ptr(); gp != nil; gp = gp.schedlink.ptr() {
		if gp.exact.priority > best {
			best, at = gp.exact.priority, i
		}
		i++
	}
	return exactTake(at)
}

// exactRun notes that a goroutine is about to run. An inherited time slice
// without having been chosen is that of a goroutine which did not block after
// all.
func exactRun(gp *g, inheritTime bool) {
	if !exactMember(gp) {
		return
	}
	chosen := exact.chosen.ptr() == gp
	if !chosen && inheritTime {
		return
	}
	exact.chosen, exact.last = 0, exact.chosen
	if !chosen {
		exactForeign()
	}
	s := exact.state
	if now := exact.bubble.now; now != exact.now {
		exact.now, exact.instant = now, 0
		s.now = uint64(now - exact.start)
		exactMix(uint64(exactTraceInstant), s.now)
		exactRecord(exactTraceInstant, s.now)
	}
	if draws := exact.stream[exactStreamRand] ^ exact.stream[exactStreamOrder]; draws != exact.draws {
		exact.draws = draws
		exactMix(exactTraceDrawn, draws)
		exactRecord(exactTraceDrawn, draws>>exactDrawnShift)
	}
	if exact.spun != 0 {
		exactMix(exactTraceEvents, exact.spun)
		exactRecord(exactTraceEvents, exact.spun)
	}
	exact.instant++
	s.decisions++
	exactMix(gp.exact.id, gp.exact.entry)
	exactRecord(exactTraceRun, gp.exact.id)
	exact.spun = 0
	gp.exact.preempt = false // if it was to be preempted, it has blocked before
	if s.decisions >= exact.change {
		exact.changed++
		exact.events = 1 + exactBelow(exactStreamExplore, exactMaxEvents)
		exactDrawChange()
	}
}

// exactEvent is called where goroutines meet, by locks and channels, and where
// the clock is read. The last of exact.events has the goroutine preempted: put
// to sleep right here, or, if it is only to yield, at its next call of a
// function. Allocations would be more, but their number is not the same in every
// run. Without exploration nobody is preempted.
//
//go:nosplit
func exactEvent() {
	if exact.settings.changes == 0 && exact.settings.order == exactFIFO {
		return
	}
	// The bubble's timers run on a system stack, which nobody preempts.
	gp := getg()
	if gp != gp.m.curg || !exactMember(gp) || gp.exact.apart {
		return
	}
	due := exact.events == 1
	if exact.events > 1 {
		exact.events--
	}
	if exact.spun++; !due && exact.spun < exactMaxSpin {
		return
	}
	if exact.settings.pause == 0 {
		exact.events, exact.spun = 0, 0
		exact.state.preempted++
		gp.exact.preempt, gp.preempt = true, true
		gp.stackguard0 = stackPreempt
	} else if gp.m.locks == 0 && gp != exact.bubble.root { // otherwise at the next event
		exact.events = 0
		exactPause(gp)
	}
}

// exactPause has the goroutine that runs stay away for a while, as if the
// operating system had put another thread in its place. It may hold locks.
func exactPause(gp *g) {
	exact.state.preempted++
	if exact.settings.order == exactPriorities {
		exactLower(gp)
	}
	timeSleep(1 + int64(exactBelow(exactStreamExplore, exact.settings.pause)))
}

// exactWaits reports whether a goroutine that waits for this reason is idle in
// the eyes of synctest, besides those that always are. Who waits for a lock is,
// if goroutines may be away while they hold one, preempted or held: the clock has
// to move for them to return.
func exactWaits(w waitReason) bool {
	if exact.bubble == nil || exact.settings.pause == 0 && exact.settings.hold == 0 {
		return false
	}
	return w == waitReasonSyncMutexLock || w == waitReasonSyncRWMutexLock || w == waitReasonSyncRWMutexRLock
}

// exactEventOf is exactEvent for package internal/sync.
//
//go:linkname exactEventOf internal/sync.runtime_exactEvent
//go:nosplit
func exactEventOf() { exactEvent() }

// exactEventOfSync is exactEvent for package sync.
//
//go:linkname exactEventOfSync sync.runtime_exactEvent
//go:nosplit
func exactEventOfSync() { exactEvent() }

// exactHolds reports whether a request to preempt a goroutine is to be ignored,
// and forgets it: it is of the bubble, and it was not exactEvent who asked.
func exactHolds(gp *g) bool {
	if !exactMember(gp) {
		return false
	}
	if gp.exact.preempt {
		gp.exact.preempt = false
		return false
	}
	gp.preempt = false
	return true
}

// exactIdle is called by the root of a bubble in which everybody waits, before
// the clock moves: nobody can notice what is done now.
func exactIdle(gp *g) {
	bubble := gp.bubble
	if exact.bubble != bubble {
		return
	}
	gp.bubble = nil // what is done here is not of the bubble
	exactCollect()
	exactLook(bubble)
	gp.bubble = bubble
}

// exactCollect collects garbage when the runtime wants it, but for the moment.
func exactCollect() {
	live, marked := gcController.heapLive.Load(), gcController.heapMarked
	// Under a memory limit that is too low the goal is passed all the time.
	if live < gcController.heapGoal() || live < marked+marked/exactLeastGrowth {
		return
	}
	exact.state.collected++
	GC()
}

// exactLook lets the program look at a bubble whose clock is about to move
// past the instant at which it wants to.
func exactLook(bubble *synctestBubble) {
	for exact.look != nil && !bubble.done {
		if next := bubble.timers.wakeTime(); next != 0 && uint64(next-exact.start) <= exact.lookAt {
			return
		}
		exact.lookAt = exact.look(exact.lookAt)
		if exact.lookAt == ^uint64(0) {
			exact.look = nil
		}
	}
}

// exactSetLook has look called, outside of the bubble, when all that happens up
// to an instant has happened, and then at the instants that it returns.
func exactSetLook(at uint64, look func(at uint64) (next uint64)) {
	exact.lookAt, exact.look = at, look
}

// exactApart begins or ends a part of what a goroutine does that other runs of
// the same execution may not have, such as writing more logs: it draws from
// other random numbers and is no event. It must not wait for anybody.
func exactApart(apart bool) { getg().exact.apart = apart }

// exactNoGC reports whether the collector has to wait for exactIdle.
func exactNoGC() bool { return exact.bubble != nil }

// exactForeign counts that something outside interfered, so that the run may
// not be repeatable.
func exactForeign() {
	s := exact.state
	if s.foreign == 0 {
		s.foreignAt = s.decisions
	}
	s.foreign++
}

// exactNote mixes what a goroutine of the bubble saw into the hash.
func exactNote(v uint64) {
	mp := acquirem() // not to be preempted half way
	if exactMember(mp.curg) && !mp.curg.exact.apart {
		exact.state.notes++
		exactMix(uint64(exactTraceNote), v)
		exactRecord(exactTraceNote, v>>32) // a few bits will do to see where runs part
	}
	releasem(mp)
}

// exactMix mixes two numbers into the hash. Each step can be undone, so runs
// that have parted stay apart.
//
//go:nosplit
func exactMix(a, b uint64) {
	h := exact.state.hash
	h = (h ^ a) * 0x9e3779b97f4a7c15
	h = h<<29 | h>>35
	h = (h ^ b) * 0xbf58476d1ce4e5b9
	h = h<<31 | h>>33
	exact.state.hash = h + 0x94d049bb133111eb
}

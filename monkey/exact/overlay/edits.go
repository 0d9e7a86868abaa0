// SPDX-License-Identifier: Apache-2.0

package overlay

// Edit is one change of a file of the Go toolchain.
type Edit struct {
	// File is relative to GOROOT/src.
	File string
	// Old is the text that the edit replaces. It has to be in the file exactly
	// once.
	Old string
	// New is what stands there instead.
	New string
	// Why says what would differ between two runs without the edit.
	Why string
}

// edits make the goroutines of one bubble run in an order that depends on a
// seed only. What they call is in _goroot/runtime.
var edits = []Edit{
	{
		File: "runtime/runtime2.go",
		Old:  "\tbubble  *synctestBubble\n",
		New:  "\tbubble  *synctestBubble\n\texact   exactG\n",
		Why:  "goroutines need numbers that do not depend on how many there are outside of the bubble",
	},
	{
		File: "runtime/proc.go",
		Old:  "\tnewg.goid = pp.goidcache\n",
		New:  "\tnewg.goid = pp.goidcache\n\texactCreated(newg, callergp)\n",
		Why:  "numbers a new goroutine",
	},
	{
		File: "runtime/proc.go",
		Old:  "func runqput(pp *p, gp *g, next bool) {\n",
		New:  "func runqput(pp *p, gp *g, next bool) {\n\tif exactPut(gp, next) {\n\t\treturn\n\t}\n",
		Why:  "the bubble's goroutines wait in a queue of their own, in which nobody else shifts them",
	},
	{
		File: "runtime/proc.go",
		Old:  "func ready(gp *g, traceskip int, next bool) {\n",
		New:  "func ready(gp *g, traceskip int, next bool) {\n\tif exactKeep(gp) {\n\t\treturn\n\t}\n",
		Why:  "a goroutine of a host that stands still goes on waiting",
	},
	{
		File: "runtime/proc.go",
		Old:  "\tif preempted && sched.gcwaiting.Load() {\n",
		New:  "\tif exactYield(gp) {\n\t\t// in the bubble's queue\n\t} else if preempted && sched.gcwaiting.Load() {\n",
		Why:  "a goroutine of the bubble that yields goes to the end of the bubble's queue, not of the global one",
	},
	{
		File: "runtime/proc.go",
		Old:  "func runqempty(pp *p) bool {\n",
		New:  "func runqempty(pp *p) bool {\n\tif exactPending() {\n\t\treturn false\n\t}\n",
		Why:  "a P for which the bubble has work is not idle",
	},
	{
		File: "runtime/proc.go",
		Old:  "\t// Poll network.\n\t// This netpoll is only an optimization before we resort to stealing.\n",
		New:  "\tif gp := exactGet(); gp != nil {\n\t\treturn gp, false, false\n\t}\n\n\t// Poll network.\n\t// This netpoll is only an optimization before we resort to stealing.\n",
		Why:  "the bubble runs when nobody outside of it can: no count of ticks decides between them",
	},
	{
		File: "runtime/proc.go",
		Old:  "\tif !inheritTime {\n\t\tmp.p.ptr().schedtick++\n\t}\n",
		New:  "\tif !inheritTime {\n\t\tmp.p.ptr().schedtick++\n\t}\n\texactRun(gp, inheritTime)\n",
		Why:  "notes the decision",
	},
	{
		File: "runtime/proc.go",
		Old:  "\tif gp == nil || gp == mp.g0 {\n\t\treturn false\n\t}\n\tif readgstatus(gp)&^_Gscan == _Gsyscall {\n",
		New:  "\tif gp == nil || gp == mp.g0 || exactMember(gp) {\n\t\treturn false\n\t}\n\tif readgstatus(gp)&^_Gscan == _Gsyscall {\n",
		Why:  "nobody asks a goroutine to yield after 10 ms of real time; large allocations look at that, too",
	},
	{
		File: "runtime/stack.go",
		Old:  "\t\tif !canPreemptM(thisg.m) {\n",
		New:  "\t\tif !canPreemptM(thisg.m) || exactHolds(gp) {\n",
		Why:  "a request that comes late, when a goroutine that was asked outside of the bubble has entered it",
	},
	{
		File: "runtime/proc.go",
		Old:  "\tif gp.m != mp || gp.m.p.ptr() != pp {\n\t\t// This is not what we originally observed. Nothing to do.\n",
		New:  "\tif gp.m != mp || gp.m.p.ptr() != pp || exactMember(gp) {\n\t\t// This is not what we originally observed. Nothing to do.\n",
		Why:  "a system call of the bubble takes no time: nobody takes the P from it, so nobody of the bubble runs until it returns",
	},
	{
		File: "runtime/rand.go",
		Old:  "\tseed := &globalRand.seed\n\tif len(startupRand) >= 16 &&\n",
		New:  "\tseed := &globalRand.seed\n\tif exactSeed(seed[:]) {\n\t\t// fixed\n\t} else if len(startupRand) >= 16 &&\n",
		Why:  "hash keys, and the seeds of maps that are made before the bubble begins",
	},
	{
		File: "runtime/rand.go",
		Old:  "\tmp := getg().m\n\tc := &mp.chacha8\n",
		New:  "\tmp := getg().m\n\tif x, ok := exactRand(mp.curg); ok {\n\t\treturn x\n\t}\n\tc := &mp.chacha8\n",
		Why:  "the seeds of maps, where iteration begins, math/rand",
	},
	{
		File: "runtime/rand.go",
		Old:  "\tmp.cheaprand = rand()\n",
		New:  "\tmp.cheaprand = bootstrapRand()\n",
		Why:  "a new thread is started on behalf of whoever runs, and must not draw from his numbers",
	},
	{
		File: "runtime/select.go",
		Old:  "\t\tj := cheaprandn(uint32(norder + 1))\n",
		New:  "\t\tj := exactCheaprandn(uint32(norder + 1))\n",
		Why:  "which of the ready cases a select takes",
	},
	{
		File: "runtime/select.go",
		Old:  "\t\tif c.timer != nil {\n\t\t\tblockTimerChan(c)\n\t\t}\n\t}\n\n\t// wait for someone to wake us up\n",
		New:  "\t\tif c.timer != nil && !exactMember(gp) {\n\t\t\tblockTimerChan(c)\n\t\t}\n\t}\n\tif exactMember(gp) {\n\t\tfor _, casei := range pollorder {\n\t\t\tif c := scases[casei].c; c.timer != nil {\n\t\t\t\tblockTimerChan(c)\n\t\t\t}\n\t\t}\n\t}\n\n\t// wait for someone to wake us up\n",
		Why:  "the timers of a select start in the order of their channels' addresses, and so draw the numbers by which those of one instant are ordered",
	},
	{
		File: "runtime/time.go",
		Old:  "\t\t\tt.rand = cheaprand()\n",
		New:  "\t\t\tt.rand = exactCheaprand()\n",
		Why:  "the order of timers of one instant",
	},
	{
		File: "runtime/time.go",
		Old:  "\t\treturn sec, nsec, 0\n\t}\n\treturn time_now()\n",
		New:  "\t\treturn sec, nsec, 0\n\t}\n\tif sec, nsec, ok := exactWallClock(); ok {\n\t\treturn sec, nsec, nanotime()\n\t}\n\treturn time_now()\n",
		Why:  "what is seeded by the clock while the program is initialized",
	},
	{
		File: "runtime/sema.go",
		Old:  "func internal_sync_nanotime() int64 {\n",
		New:  "func internal_sync_nanotime() int64 {\n\tif b := getg().bubble; b != nil && b == exact.bubble {\n\t\treturn b.now\n\t}\n",
		Why:  "a sync.Mutex turns to starvation mode after 1 ms of real time",
	},
	{
		File: "runtime/mgc.go",
		Old:  "\tcase gcTriggerHeap:\n\t\ttrigger, _ := gcController.trigger()\n",
		New:  "\tcase gcTriggerHeap:\n\t\tif exactNoGC() {\n\t\t\treturn false\n\t\t}\n\t\ttrigger, _ := gcController.trigger()\n",
		Why:  "the collector parks goroutines, moves free memory, and clears pools: only while the bubble is idle",
	},
	{
		File: "runtime/mgc.go",
		Old:  "\tcase gcTriggerTime:\n\t\tif gcController.gcPercent.Load() < 0 {\n",
		New:  "\tcase gcTriggerTime:\n\t\tif exactNoGC() || gcController.gcPercent.Load() < 0 {\n",
		Why:  "the same, for the collection that is due after two minutes",
	},
	{
		File: "runtime/mgc.go",
		Old:  "func clearpools() {\n",
		New:  "func clearpools() {\n\tif exactNoGC() {\n\t\treturn\n\t}\n",
		Why:  "what is in a sync.Pool must not depend on when garbage was collected, and whether New has to be called",
	},
	{
		File: "runtime/synctest.go",
		Old:  "\tgp.bubble = bubble\n\tdefer func() {\n\t\tgp.bubble = nil\n\t}()\n\n\t// This is newproc",
		New:  "\tgp.bubble = bubble\n\texactBegin(bubble, gp)\n\tdefer func() {\n\t\texactEnd(bubble)\n\t\tgp.bubble = nil\n\t}()\n\n\t// This is newproc",
		Why:  "begins and ends",
	},
	{
		File: "runtime/synctest.go",
		Old:  "\t\tgopark(synctestidle_c, nil, waitReasonSynctestRun, traceBlockSynctest, 0)\n",
		New:  "\t\tgopark(synctestidle_c, nil, waitReasonSynctestRun, traceBlockSynctest, 0)\n\t\texactIdle(gp)\n",
		Why:  "collects garbage, and looks at the bubble, when everybody waits",
	},
	{
		File: "runtime/runtime2.go",
		Old:  "\treturn isIdleInSynctest[w]\n",
		New:  "\treturn isIdleInSynctest[w] || exactWaits(w)\n",
		Why:  "exploration may send a goroutine away that holds a lock: the clock goes on while others wait for that",
	},
	{
		File: "runtime/alg.go",
		Old:  "func typehash(t *_type, p unsafe.Pointer, h uintptr) uintptr {\n",
		New:  "func typehash(t *_type, p unsafe.Pointer, h uintptr) uintptr {\n\tif n, ok := exactNumber(t, p); ok {\n\t\treturn memhash64(noescape(unsafe.Pointer(&n)), h)\n\t}\n",
		Why:  "the order of maps with interfaces for keys that hold pointers: the memory is not laid out the same in every run",
	},
	{
		File: "runtime/mheap.go",
		Old:  "\tcase _KindSpecialBubble:\n",
		New:  "\tcase exactSpecial:\n\t\texactForget(s)\n\tcase _KindSpecialBubble:\n",
		Why:  "forgets the number that the edit before this one gave to an object",
	},
	{
		File: "os/exec.go",
		Old:  "func Getpid() int { return syscall.Getpid() }\n",
		New:  "func Getpid() int {\n\tif pid, _, ok := runtime_exactIdentity(); ok {\n\t\treturn pid\n\t}\n\treturn syscall.Getpid()\n}\n\nfunc runtime_exactIdentity() (pid int, host string, ok bool)\n",
		Why:  "process ids are mixed into seeds and session keys",
	},
	{
		File: "os/sys.go",
		Old:  "func Hostname() (name string, err error) {\n",
		New:  "func Hostname() (name string, err error) {\n\tif _, host, ok := runtime_exactIdentity(); ok {\n\t\treturn host, nil\n\t}\n",
		Why:  "so are host names, which also differ between machines",
	},
	{
		File: "crypto/internal/sysrand/rand.go",
		Old:  "func Read(b []byte) {\n",
		New:  "func Read(b []byte) {\n\tif runtime_exactRead(b) {\n\t\treturn\n\t}\n",
		Why:  "crypto/rand",
	},
	{
		File: "crypto/internal/sysrand/rand.go",
		Old:  "//go:linkname fatal\n",
		New:  "//go:linkname runtime_exactRead\nfunc runtime_exactRead(b []byte) bool\n\n//go:linkname fatal\n",
		Why:  "declares what the edit before this one calls",
	},
	{
		File: "runtime/chan.go",
		Old:  "func chansend(c *hchan, ep unsafe.Pointer, block bool, callerpc uintptr) bool {\n",
		New:  "func chansend(c *hchan, ep unsafe.Pointer, block bool, callerpc uintptr) bool {\n\texactEvent()\n",
		Why:  "a place where exploration may preempt",
	},
	{
		File: "runtime/chan.go",
		Old:  "func chanrecv(c *hchan, ep unsafe.Pointer, block bool) (selected, received bool) {\n",
		New:  "func chanrecv(c *hchan, ep unsafe.Pointer, block bool) (selected, received bool) {\n\texactEvent()\n",
		Why:  "a place where exploration may preempt",
	},
	{
		File: "runtime/time.go",
		Old:  "func time_runtimeNow() (sec int64, nsec int32, mono int64) {\n",
		New:  "func time_runtimeNow() (sec int64, nsec int32, mono int64) {\n\texactEvent()\n",
		Why:  "a place where exploration may preempt",
	},
	{
		File: "runtime/select.go",
		Old:  "func selectgo(cas0 *scase, order0 *uint16, pc0 *uintptr, nsends, nrecvs int, block bool) (int, bool) {\n",
		New:  "func selectgo(cas0 *scase, order0 *uint16, pc0 *uintptr, nsends, nrecvs int, block bool) (int, bool) {\n\texactEvent()\n",
		Why:  "a place where exploration may preempt",
	},
	{
		File: "internal/sync/mutex.go",
		Old:  "func (m *Mutex) Lock() {\n",
		New:  "func (m *Mutex) Lock() {\n\truntime_exactEvent()\n",
		Why:  "a place where exploration may preempt",
	},
	{
		File: "internal/sync/mutex.go",
		Old:  "func (m *Mutex) Unlock() {\n",
		New:  "func (m *Mutex) Unlock() {\n\truntime_exactEvent()\n",
		Why:  "a place where exploration may preempt",
	},
	{
		File: "internal/sync/runtime.go",
		Old:  "func runtime_canSpin(i int) bool\n",
		New:  "func runtime_canSpin(i int) bool\n\n//go:linkname runtime_exactEvent\nfunc runtime_exactEvent()\n",
		Why:  "declares what the two edits before this one call",
	},
	{
		File: "sync/rwmutex.go",
		Old:  "func (rw *RWMutex) RLock() {\n",
		New:  "func (rw *RWMutex) RLock() {\n\truntime_exactEvent()\n",
		Why:  "a place where exploration may preempt",
	},
	{
		File: "sync/rwmutex.go",
		Old:  "func (rw *RWMutex) RUnlock() {\n",
		New:  "func (rw *RWMutex) RUnlock() {\n\truntime_exactEvent()\n",
		Why:  "a place where exploration may preempt",
	},
	{
		File: "sync/runtime.go",
		Old:  "func runtime_SemacquireRWMutexR(s *uint32, lifo bool, skipframes int)\n",
		New:  "func runtime_SemacquireRWMutexR(s *uint32, lifo bool, skipframes int)\n\n//go:linkname runtime_exactEvent\nfunc runtime_exactEvent()\n",
		Why:  "declares what the two edits before this one call",
	},
}

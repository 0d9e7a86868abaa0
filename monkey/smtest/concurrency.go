// SPDX-License-Identifier: Apache-2.0

package smtest

import (
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
)

var concurrency = check{
	name:  "concurrency",
	kinds: allKinds,
	contract: "Each answer of Lookup is that of a state between two entries, and not of one older than the last Update that had returned before. " +
		"Lookup is called by many goroutines at the same time, and during SaveSnapshot. Of concurrent and on-disk state machines it is also called during Update, " +
		"RecoverFromSnapshot and Close, and SaveSnapshot during Update.",
	advice: "Look for what Lookup changes under a lock that it shares. Protect the state with a sync.RWMutex, and hold it from the first thing that an entry changes to the last; or publish an immutable version atomically. " +
		"In RecoverFromSnapshot build the new state first and put it in place in one step. Run the test with -race as well: it says which two places collide.",
	run: func(t *trial) {
		t.reference() // not while others look on
		r := t.start("a replica that is read all the time")
		saver := &saver{r: r}
		defer saver.wait()
		readers := t.read(r)
		defer readers.stop()
		to := 0
		for to < len(t.log) {
			from := to
			to = from + 1 + t.plan.IntN(min(len(t.log)-from, 8))
			readers.bound(from, to)
			results := r.apply(to)
			readers.bound(to, to)
			t.sameResults(r.name, from, results)
			runtime.Gosched()
			saver.save(t)
			if r.disk != nil && t.chance(4) {
				r.sync()
			}
		}
		saver.wait()
		r.close()
		readers.end()
		for _, saved := range saver.saved {
			fresh := t.recovered("a replica that recovered from a snapshot saved during updates", saved, 0)
			fresh.discard()
		}
		t.recoverWhileRead()
	},
}

// recoverWhileRead lets a replica that is read recover from a snapshot.
func (t *trial) recoverWhileRead() {
	t.forgetSteps()
	source := t.start("the replica that saves")
	source.apply(len(t.log))
	saved := source.save()
	behind := t.plan.IntN(len(t.log))
	r := t.start("a replica that is read while it recovers from a snapshot")
	r.apply(behind)
	readers := t.read(r)
	defer readers.stop()
	readers.only(behind, len(t.log))
	t.step("a replica applies %s; it is read while it recovers from a snapshot saved %s", t.entries(0, behind), place(saved.at))
	r.restore(saved, drawReadSizes(t.plan))
	readers.bound(len(t.log), len(t.log))
	readers.end()
	t.sameState(r)
}

// saver saves one snapshot after the other in the background.
type saver struct {
	r     *replica
	done  chan *failure // of the one that is being saved; nil: there is none
	saved []snapshot
}

// save begins another snapshot, unless one is being saved.
func (s *saver) save(t *trial) {
	if s.done != nil {
		select {
		case f := <-s.done:
			s.finished(f)
		default:
			return
		}
	}
	if len(s.saved) >= placesPrepared {
		return
	}
	p := s.r.prepare()
	if t.kit.machine.kind == regular { // Dragonboat updates none while it saves it
		s.saved = append(s.saved, s.r.savePrepared(p))
		return
	}
	done, r := make(chan *failure, 1), s.r.inBackground()
	s.done = done
	go func() {
		done <- failing(func() { s.saved = append(s.saved, r.savePrepared(p)) })
	}()
}

// wait waits until nothing is being saved.
func (s *saver) wait() {
	if s.done != nil {
		s.r.t.enter("SaveSnapshot")
		s.finished(<-s.done)
	}
}

func (s *saver) finished(f *failure) {
	s.done = nil
	if f != nil {
		panic(f)
	}
}

// failing runs f on a goroutine that isn't the trial's, and returns how it
// failed.
func failing(f func()) (failed *failure) {
	defer func() {
		switch v := recover().(type) {
		case nil:
		case *failure:
			failed = v
		default:
			panic(v)
		}
	}()
	f()
	return nil
}

// readers ask a replica queries until they are ended.
type readers struct {
	t       *trial
	r       *replica
	ended   atomic.Bool
	all     sync.WaitGroup
	allowed atomic.Pointer[span]

	mu     sync.Mutex
	failed *failure // the first
}

// span is the places of the log whose states an answer may show: those from
// first to last, or, with ends, these two only.
type span struct {
	first, last int
	ends        bool
}

// readersOfAReplica is how many goroutines ask queries at the same time.
const readersOfAReplica = 2

// read starts readers of a replica.
func (t *trial) read(r *replica) *readers {
	rs := &readers{t: t, r: r.inBackground()}
	rs.allowed.Store(&span{first: r.at, last: r.at})
	if len(t.queries) == 0 {
		return rs
	}
	for range readersOfAReplica {
		seed := t.plan.Uint64()
		started := make(chan struct{})
		rs.all.Go(func() {
			draw := rand.New(rand.NewPCG(seed, 0))
			close(started)
			if f := failing(func() { rs.loop(draw) }); f != nil {
				rs.mu.Lock()
				defer rs.mu.Unlock()
				if rs.failed == nil {
					rs.failed = f
				}
			}
		})
		<-started
	}
	return rs
}

func (rs *readers) loop(draw *rand.Rand) {
	for !rs.ended.Load() {
		i := draw.IntN(len(rs.t.queries))
		before := rs.allowed.Load()
		_, text := rs.r.lookup(rs.t.queries[i])
		rs.judge(i, text, before, rs.allowed.Load())
		runtime.Gosched()
	}
}

// judge checks an answer against the states that there were from the call to
// the return.
func (rs *readers) judge(query int, text string, before, after *span) {
	if strings.HasPrefix(text, "error: ") {
		return // Dragonboat hands it to the client
	}
	places := map[int]bool{before.first: true, after.last: true}
	if !before.ends && !after.ends {
		for at := before.first; at <= after.last; at++ {
			places[at] = true
		}
	}
	_, states := rs.t.reference()
	for at := range places {
		if states[at].answers[query].text == text {
			return
		}
	}
	was, is := excerpts(states[before.first].answers[query].text, text)
	end, _ := excerpts(states[after.last].answers[query].text, text)
	rs.t.fail("Lookup answered the query %s with what no state between two entries answers, while the log went from %s to %s.\nbefore: %s\nafter: %s\nthe answer: %s",
		excerpt(states[0].answers[query].query), place(before.first), place(after.last), was, end, is)
}

// bound says which places of the log the replica can be at from now on.
func (rs *readers) bound(first, last int) { rs.allowed.Store(&span{first: first, last: last}) }

// only is bound for a replica that goes from one place to another in one step.
func (rs *readers) only(first, last int) { rs.allowed.Store(&span{first, last, true}) }

// stop stops the readers.
func (rs *readers) stop() {
	rs.ended.Store(true)
	rs.t.enter("Lookup")
	rs.all.Wait()
}

// end stops the readers, and fails if one of them did.
func (rs *readers) end() {
	rs.stop()
	if rs.failed != nil {
		panic(rs.failed)
	}
}

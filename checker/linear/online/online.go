// SPDX-License-Identifier: Apache-2.0

package online

import (
	"fmt"
	"slices"
	"sync"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/explain"
	"github.com/drumbeat-raft/drumbeat/checker/linear/keylog"
)

// Judge judges a key-value history while it grows, by the zone algorithm, and
// reports the first operation that makes it illegal. It forgets what can't
// matter any more, so that its memory follows what is open and unsettled, not
// what has passed.
//
// It judges keys inside the fragment only: values written once, or writes
// with names (Writer and ObservedWriter of history.Op). A key that leaves the
// fragment is deferred: nothing is said about it, and Check has to judge it
// afterwards.
//
// What a named write replaced is known when it has ended. Until then, and for
// one of unknown outcome always, it is taken for a put: a violation may be
// found later than it could be, or be left to Check.
//
// Begin has to be called before the operation is sent, End when it has ended;
// calls and returns have to come nearly in the order of their times. If they
// come out of order by no more than Slack, a violation may be missed until
// Check judges the whole, but none is reported that is not one.
//
// It is safe for concurrent use and holds no goroutine.
type Judge struct {
	mu       sync.Mutex
	slack    int64
	keys     map[string]*key
	recent   [256]*key // keys asked for last, by a hash of the name
	states   []state
	texts    []content // of the states
	free     []uint32
	table    stateIndex
	open     []openOp // by place, with free places
	places   []uint32 // of open that are free
	now      int64
	deferred []string
	judged   int
	dead     []uint32 // scratch
	spare    []*needs
	// leastPrune is the number of states of a key below which nothing is
	// forgotten.
	leastPrune int
}

// Ticket stands for an operation that was begun: a place in the list of open
// ones, and in the upper half how often the place was taken before.
type Ticket uint64

type openOp struct {
	call  int64
	key   *key   // nil for a free place
	state uint32 // what it writes, 0 for nothing
	round uint32 // how often the place was taken before
	at    uint32 // where it stands in the open operations of its key
}

// Violation says which operation made the history illegal.
type Violation struct {
	Op     history.Op
	Reason string
}

// Error says it in a sentence.
func (v *Violation) Error() string {
	return fmt.Sprintf("key %s is not linearizable: client %d %s (called %s, returned %s): %s",
		v.Op.Key, v.Op.Client, explain.Action(&v.Op), explain.FormatTime(v.Op.Call), explain.FormatTime(v.Op.Return), v.Reason)
}

// New returns a judge of an empty history. slack is the time, in the
// units of the history, by which events may come out of order.
func New(slack int64) *Judge {
	o := &Judge{slack: slack, keys: make(map[string]*key), states: make([]state, 1, 2048), texts: make([]content, 1, 2048), now: keylog.Beginning, leastPrune: 12}
	o.table.init()
	return o
}

// Deferred returns the keys that are not judged, in the order in which they
// left the fragment.
func (o *Judge) Deferred() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.deferred)
}

// Judged returns the number of operations that ended on keys that are judged.
func (o *Judge) Judged() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.judged
}

// Begin notes that the operation is about to be sent. Its outcome and what it
// observed are not looked at.
func (o *Judge) Begin(op *history.Op) Ticket {
	o.mu.Lock()
	k := o.keyNamed(op.Key)
	o.now = max(o.now, op.Call)
	place := o.place()
	e := &o.open[place]
	e.call, e.key, e.state, e.at = op.Call, k, 0, uint32(len(k.open))
	k.open = append(k.open, place)
	if op.Kind != history.Get && !k.out {
		e.state = o.write(k, op)
	}
	t := Ticket(e.round)<<32 | Ticket(place)
	o.mu.Unlock()
	return t
}

// place returns a free place among the open operations.
func (o *Judge) place() uint32 {
	if n := len(o.places); n > 0 {
		p := o.places[n-1]
		o.places = o.places[:n-1]
		return p
	}
	o.open = append(o.open, openOp{})
	return uint32(len(o.open) - 1)
}

// close frees the place of an operation that has ended.
func (o *Judge) close(place uint32) {
	e := &o.open[place]
	k := e.key
	last := len(k.open) - 1
	moved := k.open[last]
	k.open[e.at], o.open[moved].at = moved, e.at
	k.open = k.open[:last]
	*e = openOp{round: e.round + 1}
	o.places = append(o.places, place)
}

// write registers what an operation will leave in the key if it takes effect.
func (o *Judge) write(k *key, op *history.Op) uint32 {
	switch {
	case op.Writer != "":
		k.named = true
	case op.Kind == history.Put || op.Kind == history.Cas:
		k.unnamed = true
	default:
		o.deferKey(k)
		return 0
	}
	if k.named && k.unnamed {
		o.deferKey(k)
		return 0
	}
	id := identity{key: k.number, text: op.Writer, kind: idName}
	if op.Writer == "" {
		id = idOf(k.number, op.Value)
	}
	h := o.table.hash(id)
	if o.table.find(o.texts, h, id) != 0 || op.Writer == history.InitialWriter {
		o.deferKey(k)
		return 0
	}
	n := o.newState(k, id, h)
	s, t := &o.states[n], &o.texts[n]
	s.call, s.open = op.Call, true
	t.value = op.Value
	switch op.Kind {
	case history.Cas:
		s.rmw, t.needs = true, o.newNeeds()
		t.needs.expected = op.Expected
	case history.Append:
		s.rmw, t.needs = true, o.newNeeds()
		t.needs.suffix = op.Value
		t.value = history.Value{} // when it is known what it replaced
	case history.Delete:
		t.value = history.Absent
	}
	return n
}

// End notes how the operation ended, and returns a violation if the history
// is illegal with it and was not before.
func (o *Judge) End(t Ticket, op *history.Op) *Violation {
	o.mu.Lock()
	wrong := o.ended(t, op)
	o.mu.Unlock()
	if wrong == "" {
		return nil
	}
	return &Violation{Op: *op, Reason: wrong}
}

// ended takes in how an operation ended, and returns what is wrong.
func (o *Judge) ended(t Ticket, op *history.Op) string {
	place := uint32(t)
	if int(place) >= len(o.open) || o.open[place].key == nil || o.open[place].round != uint32(t>>32) {
		return "" // ended twice
	}
	e := o.open[place]
	o.close(place)
	if op.Outcome != history.Unknown {
		o.now = max(o.now, op.Return)
	}
	k := e.key
	if k.out {
		return ""
	}
	o.judged++
	wrong := o.end(k, e.state, op)
	switch {
	case wrong != "":
		o.drop(k)
	case !k.out && len(k.live) >= k.pruneAt:
		o.prune(k)
	}
	return wrong
}

// horizon returns a time before which no operation on the key can be called
// any more that has not ended.
func (o *Judge) horizon(k *key) int64 {
	t := o.now
	for _, place := range k.open {
		t = min(t, o.open[place].call)
	}
	if t < keylog.Beginning+o.slack+1 {
		return keylog.Beginning
	}
	return t - o.slack
}

// end returns what is wrong, "" for nothing.
func (o *Judge) end(k *key, written uint32, op *history.Op) string {
	if written != 0 {
		o.states[written].open = false
	}
	switch op.Outcome {
	case history.Unknown:
		return ""
	case history.Fail:
		return o.endFail(k, written, op)
	}
	if written == 0 {
		return o.endRead(k, op)
	}
	if op.ObservedWriter != "" {
		s, t := &o.states[written], &o.texts[written]
		if t.needs == nil {
			t.needs = o.newNeeds()
		}
		t.needs.before, s.rmw = op.ObservedWriter, true
		if s.effective {
			if wrong := o.join(k, written); wrong != "" {
				return wrong
			}
		}
	}
	if wrong := o.resolve(k, written); wrong != "" || k.out {
		return wrong
	}
	return o.grow(k, written, op.Call, op.Return)
}

func (o *Judge) endFail(k *key, written uint32, op *history.Op) string {
	if written != 0 {
		if o.states[written].effective {
			return "its effect was seen, although it failed"
		}
		k.live = slices.DeleteFunc(k.live, func(n uint32) bool { return n == written })
		o.forget(written)
	}
	if op.Kind != history.Cas {
		return ""
	}
	switch {
	case op.Observed.Stated() && op.Observed == op.Expected:
		return "it failed although it saw what it expected"
	case op.Observed.Stated():
		return o.endRead(k, op)
	case op.Refuted:
		o.deferKey(k)
	}
	return ""
}

func (o *Judge) endRead(k *key, op *history.Op) string {
	var n uint32
	switch {
	case op.ObservedWriter == history.InitialWriter:
		n = o.find(idOf(k.number, history.Absent))
		k.named = true
	case op.ObservedWriter != "":
		n = o.find(identity{key: k.number, text: op.ObservedWriter, kind: idName})
		k.named = true
	default:
		n = o.find(idOf(k.number, op.Observed))
		k.unnamed = k.unnamed || !op.Observed.IsAbsent()
		if k.named {
			k.unnamed = true
		}
	}
	if k.named && k.unnamed {
		o.deferKey(k)
		return ""
	}
	if n == 0 {
		return "no operation wrote what it saw, or that was overwritten long before"
	}
	if wrong := o.takesEffect(k, n); wrong != "" || k.out {
		return wrong
	}
	if k.named { // else it was found by its value
		t := &o.texts[n]
		if !t.value.Stated() {
			t.value = op.Observed // of an append of unknown outcome
		}
		if t.value != op.Observed {
			return fmt.Sprintf("the write that it saw left %s", t.value)
		}
	}
	if op.Return < o.states[n].call {
		return "it saw a write that was called only later"
	}
	return o.grow(k, n, op.Call, op.Return)
}

func (o *Judge) find(id identity) uint32 {
	return o.table.find(o.texts, o.table.hash(id), id)
}

// takesEffect makes the writer of a state effective, and what it replaced.
func (o *Judge) takesEffect(k *key, n uint32) string {
	s := &o.states[n]
	if s.effective {
		return ""
	}
	if wrong := o.resolve(k, n); wrong != "" {
		return wrong
	}
	return o.grow(k, n, s.call, history.Never)
}

// resolve does so, but leaves it to the caller to bring the writer into its
// block.
func (o *Judge) resolve(k *key, n uint32) string {
	s, t := &o.states[n], &o.texts[n]
	if s.effective {
		return ""
	}
	// What a named write replaced is known when it has ended; until then it
	// counts as a put.
	if !s.rmw || t.id.kind == idName && t.needs.before == "" {
		s.effective, s.head = true, n
		return ""
	}
	p, wrong := o.replaced(k, n)
	if wrong != "" {
		return wrong
	}
	if wrong := o.replace(n, p); wrong != "" {
		return wrong
	}
	s.head, s.effective = o.states[p].head, true
	return ""
}

// replace links state n to the state p that its writer replaced.
func (o *Judge) replace(n, p uint32) string {
	after, before := &o.texts[n], &o.texts[p]
	if o.states[p].next != 0 {
		return fmt.Sprintf("it replaced %s, which something else had replaced", before.value)
	}
	if !before.value.Stated() {
		before.value = after.needs.expected // of an append of unknown outcome
	}
	if after.needs.expected.Stated() && before.value != after.needs.expected {
		return fmt.Sprintf("it replaced %s, which is not what it expected", before.value)
	}
	if after.needs.suffix.Stated() && before.value.Stated() {
		left := before.value.Append(after.needs.suffix)
		if after.value.Stated() && after.value != left {
			return fmt.Sprintf("%s was there, but %s appended to %s makes %s", after.value, after.needs.suffix, before.value, left)
		}
		after.value = left
	}
	o.states[p].next, o.states[n].pred = n, p
	return ""
}

// replaced returns the state that a write replaced, made effective.
func (o *Judge) replaced(k *key, n uint32) (p uint32, wrong string) {
	s, needs := &o.states[n], o.texts[n].needs
	if s.visiting {
		return 0, "writes replaced each other in a circle"
	}
	switch {
	case needs.before == history.InitialWriter:
		p = o.find(idOf(k.number, history.Absent))
	case needs.before != "":
		p = o.find(identity{key: k.number, text: needs.before, kind: idName})
	default:
		p = o.find(idOf(k.number, needs.expected))
	}
	if p == 0 {
		return 0, "no operation wrote what it replaced, or that was overwritten long before"
	}
	s.visiting = true
	wrong = o.takesEffect(k, p)
	s.visiting = false
	return p, wrong
}

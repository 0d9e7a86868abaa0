// SPDX-License-Identifier: Apache-2.0

package writers

import (
	"fmt"
	"slices"
	"strings"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/keylog"
	"github.com/drumbeat-raft/drumbeat/checker/linear/model"
)

// writes are the writes of a key that took effect or may have, by number. Number 0
// stands for the state before the first.
type writes struct {
	ops []history.Op
	// at holds the operation of each write, number the write of each
	// operation.
	at     []int
	number []int32
	byName map[string]int32
}

const (
	initial int32 = 0
	// none stands for no write, or no operation.
	none = -1
)

// gather numbers the writes. The error says why names can't be relied on.
func gather(ops []history.Op) (*writes, error) {
	n := &writes{ops: ops, at: []int{none}, number: make([]int32, len(ops)), byName: map[string]int32{history.InitialWriter: initial}}
	numbers, appends := false, false
	for i := range ops {
		op := &ops[i]
		n.number[i] = none
		if !model.KV.Constrains(op) {
			continue
		}
		if observes(op) {
			if op.ObservedWriter == "" && !op.Observed.Stated() {
				return nil, fmt.Errorf("operation %d tells neither the value nor the write that it saw", i)
			}
			continue
		}
		n.number[i] = int32(len(n.at))
		n.at = append(n.at, i)
		if op.Writer != "" {
			if _, twice := n.byName[op.Writer]; twice {
				return nil, fmt.Errorf("operation %d has no name of its own", i)
			}
			n.byName[op.Writer] = n.number[i]
		}
		numbers = numbers || !op.Value.IsText() && op.Value.Stated() && !op.Value.IsAbsent()
		if op.Kind == history.Append {
			appends = true
			if op.Value.Text() == "" {
				return nil, fmt.Errorf("operation %d appends nothing", i)
			}
		}
	}
	if numbers && appends {
		// A number that was appended to is a text: keep to what is simple.
		return nil, fmt.Errorf("numbers and appends meet")
	}
	return n, nil
}

// observes reports whether an operation that constrains the order writes
// nothing.
func observes(op *history.Op) bool { return op.Kind == history.Get || op.Outcome == history.Fail }

// op returns the operation of a write other than initial.
func (n *writes) op(w int32) *history.Op { return &n.ops[n.at[w]] }

// leaves returns what a write leaves whatever it replaces; not stated for an
// append.
func (n *writes) leaves(w int32) history.Value {
	switch {
	case w == initial || n.op(w).Kind == history.Delete:
		return history.Absent
	case n.op(w).Kind == history.Append:
		return history.Value{}
	}
	return n.op(w).Value
}

// reads says which operation saw which write, as far as it is known or
// assumed.
type reads struct {
	*writes
	// source is, by operation, the write whose state it saw.
	source []int32
	// next is, by write, the write that saw and replaced its state.
	next []int32
	// left is, by write, what it left; not stated if that is not known.
	left []history.Value
	// effective says which writes took effect for certain: the others are of
	// unknown outcome, and nobody saw them.
	effective []bool
	// open are the operations that saw a write of which only the value may be
	// known.
	open []int
	// wrong are operations that contradict each other; nil if none do.
	wrong []int
}

func newReads(n *writes) *reads {
	r := &reads{
		writes: n, source: make([]int32, len(n.ops)), next: make([]int32, len(n.at)),
		left: make([]history.Value, len(n.at)), effective: make([]bool, len(n.at)),
	}
	for i := range r.source {
		r.source[i] = none
	}
	for w := range r.next {
		r.next[w], r.left[w] = none, n.leaves(int32(w))
	}
	r.effective[initial] = true
	return r
}

func (r *reads) clone() *reads {
	c := *r
	c.source, c.next, c.left = slices.Clone(r.source), slices.Clone(r.next), slices.Clone(r.left)
	c.effective, c.open = slices.Clone(r.effective), slices.Clone(r.open)
	return &c
}

// byNames takes in all that names say.
func (r *reads) byNames() {
	for i := range r.ops {
		op := &r.ops[i]
		if !model.KV.Constrains(op) || op.Outcome == history.Unknown {
			continue
		}
		if op.Outcome == history.Fail && op.Observed.Stated() && op.Observed == op.Expected {
			r.contradict(i)
		}
		if w := r.number[i]; w != none {
			r.happened(w)
		}
		if op.ObservedWriter == "" {
			if observes(op) {
				r.open = append(r.open, i)
			}
			continue
		}
		if w, ok := r.byName[op.ObservedWriter]; ok {
			r.saw(i, w)
		} else {
			r.contradict(i)
		}
	}
	r.open = slices.DeleteFunc(r.open, func(i int) bool { return r.source[i] != none })
}

// contradict notes operations that can't all be right.
func (r *reads) contradict(ops ...int) {
	if r.wrong == nil {
		r.wrong = slices.DeleteFunc(ops, func(i int) bool { return i == none })
	}
}

// happened notes that a write took effect.
func (r *reads) happened(w int32) {
	if r.effective[w] {
		return
	}
	r.effective[w] = true
	if k := r.op(w).Kind; k == history.Cas || k == history.Append {
		r.open = append(r.open, r.at[w])
	}
}

// saw notes that operation i saw the state of write w.
func (r *reads) saw(i int, w int32) {
	r.source[i] = w
	r.happened(w)
	if by := r.number[i]; by != none {
		if other := r.next[w]; other != none {
			r.contradict(i, r.at[other])
			return
		}
		r.next[w] = by
	}
	switch op := &r.ops[i]; {
	case observes(op) && op.Observed.Stated():
		r.learn(w, op.Observed, i)
	case observes(op):
	case op.Kind == history.Cas:
		r.learn(w, op.Expected, i)
	case op.Kind == history.Append:
		if r.left[w].Stated() {
			r.learn(r.number[i], r.left[w].Append(op.Value), i)
		} else if r.left[r.number[i]].Stated() {
			r.learnBefore(r.number[i], i)
		}
	}
}

// learn notes that write w left v, and what that says about the appends before
// and after it. Operation i tells it.
func (r *reads) learn(w int32, v history.Value, i int) {
	for r.wrong == nil {
		if known := r.left[w]; known.Stated() {
			if known != v {
				r.contradict(i, r.at[w])
			}
			return
		}
		r.left[w] = v
		r.learnBefore(w, i)
		after := r.next[w]
		if after == none || r.op(after).Kind != history.Append {
			return
		}
		w, v = after, v.Append(r.op(after).Value)
	}
}

// learnBefore finds out, from what an append left, what the writes before it
// left.
func (r *reads) learnBefore(w int32, i int) {
	for r.wrong == nil && w != initial && r.op(w).Kind == history.Append {
		before, ok := r.before(w)
		if !ok {
			r.contradict(i, r.at[w])
			return
		}
		w = r.source[r.at[w]]
		if w == none {
			return
		}
		if known := r.left[w]; known.Stated() {
			if !before.is(known) {
				r.contradict(i, r.at[w])
			}
			return
		}
		if before.empty {
			r.contradict(i, r.at[w]) // an append leaves something
			return
		}
		r.left[w] = before.value
	}
}

// wanted is the value that an operation saw.
type wanted struct {
	value history.Value
	empty bool // absent or "", which can't be told apart before an append
}

func (n wanted) is(v history.Value) bool {
	return v == n.value || n.empty && v.IsAbsent()
}

// before returns the value that an append replaced, of which it is known what
// it left; false if it can't have left that.
func (r *reads) before(w int32) (wanted, bool) {
	text, ok := strings.CutSuffix(r.left[w].Text(), r.op(w).Value.Text())
	return wanted{history.String(text), text == ""}, ok && r.left[w].IsText()
}

// wants returns the value that an open operation saw; known is false if any
// would do.
func (r *reads) wants(i int) (v wanted, known, possible bool) {
	switch op := &r.ops[i]; {
	case observes(op):
		return wanted{value: op.Observed}, true, true
	case op.Kind == history.Cas:
		return wanted{value: op.Expected}, true, true
	}
	if w := r.number[i]; r.left[w].Stated() {
		v, ok := r.before(w)
		return v, true, ok
	}
	return wanted{}, false, true
}

// entries lays out what is known for the zones: writes in the place of values.
// An operation of which it is not known what it saw is laid out as one that
// may follow any write, or left out if it writes nothing, which can only make
// the rest legal.
func (r *reads) entries() *keylog.Key {
	entries := make([]keylog.Entry, len(r.ops))
	for i := range r.ops {
		op := &r.ops[i]
		e := &entries[i]
		e.Call, e.Ret, e.At = op.Call, op.End(), uint32(i)
		from, w := r.source[i], r.number[i]
		if from != none {
			e.Seen = keylog.Initial + keylog.StateID(from)
		}
		switch {
		case w != none && r.effective[w]:
			e.Value = keylog.Initial + keylog.StateID(w)
			e.Kind = keylog.Write
			if from != none {
				e.Kind = keylog.ReadModifyWrite
			}
		case w == none && from != none:
			e.Kind = keylog.Read
		}
	}
	return keylog.NewKey(entries, keylog.Initial+keylog.StateID(len(r.at)))
}

// refuted returns an operation that was answered 'not the expected value' by a
// state that had it, none if there is no such one.
func (r *reads) refuted() int {
	for i := range r.ops {
		op := &r.ops[i]
		if op.Outcome == history.Fail && op.Refuted && r.source[i] != none && r.left[r.source[i]] == op.Expected {
			return i
		}
	}
	return none
}

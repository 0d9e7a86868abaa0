// SPDX-License-Identifier: Apache-2.0

package writers

import (
	"fmt"
	"strings"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/keylog"
	"github.com/drumbeat-raft/drumbeat/checker/linear/model"
	"github.com/drumbeat-raft/drumbeat/checker/linear/zones"
)

// Key is a key whose operations name the writes that they saw.
type Key struct {
	t     *translation
	zones zones.Judge
}

// Judge judges the operations of the key named part by the names of writes. The
// verdict is Unknown if names don't decide it; why says what is missing, if
// anything is. An OK comes with an order that was verified: positions in ops.
func Judge(m model.Model, part string, ops []history.Op) (k *Key, v model.Verdict, order []int, why string) {
	k = &Key{t: translate(ops)}
	if k.t.problem != "" {
		return k, model.Unknown, nil, k.t.problem
	}
	if k.t.bad >= 0 {
		return k, model.Violation, nil, ""
	}
	switch k.zones.Run(keylog.NewKey(k.t.entries, keylog.Initial+keylog.StateID(len(k.t.ids)))) {
	case zones.Repeated:
		return k, model.Unknown, nil, "a write names itself twice"
	case zones.Illegal:
		if k.unresolved() {
			return k, model.Unknown, nil, "it is not known what a write of unknown outcome replaced"
		}
		return k, model.Violation, nil, ""
	}
	order = k.zones.Order()
	if err := model.Verify(m, part, ops, order); err != nil {
		return k, model.Unknown, nil, err.Error()
	}
	return k, model.OK, order, ""
}

// translation is a key in which names stand in the place of values.
type translation struct {
	ops     []history.Op
	entries []keylog.Entry
	// ids are the states of the names.
	ids map[string]keylog.StateID
	// wrote holds the operation of each name, left the value it left in the
	// key, if that is known, and from what each one replaced.
	wrote map[string]int
	left  map[string]history.Value
	from  map[string]string
	// byValue holds the one name that left a value; "" if several did.
	byValue map[history.Value]string
	// vague holds what was added by appends of which it is not known what they
	// left.
	vague   []string
	problem string // why names can't be relied on
	// numbers and appends say that there are some.
	numbers, appends bool
	bad              int // an operation that contradicts the names, -1 if there is none
}

// translate returns the translation; its problem says why there is none.
func translate(ops []history.Op) *translation {
	n := &translation{
		ops: ops, bad: -1,
		ids:   map[string]keylog.StateID{history.InitialWriter: keylog.Initial},
		wrote: make(map[string]int), from: make(map[string]string),
		left:    map[string]history.Value{history.InitialWriter: history.Absent},
		byValue: map[history.Value]string{history.Absent: history.InitialWriter},
	}
	n.collect()
	if n.numbers && n.appends {
		n.giveUp("numbers and appends meet")
	}
	n.resolve()
	n.enter()
	return n
}

func (n *translation) giveUp(format string, args ...any) {
	if n.problem == "" {
		n.problem = fmt.Sprintf(format, args...)
	}
}

// collect gathers the writes by name.
func (n *translation) collect() {
	for i := range n.ops {
		op := &n.ops[i]
		if !model.KV.Constrains(op) {
			continue
		}
		if op.Value.Stated() && op.Kind != history.Get && !op.Value.IsText() && !op.Value.IsAbsent() {
			// A number that was appended to is a text: keep to what is simple.
			n.numbers = true
		}
		if op.Kind == history.Get || op.Outcome == history.Fail {
			if op.ObservedWriter == "" {
				n.giveUp("operation %d does not name the write that it saw", i)
			}
			continue
		}
		_, twice := n.wrote[op.Writer]
		if op.Writer == "" || op.Writer == history.InitialWriter || twice {
			n.giveUp("operation %d has no name of its own", i)
			continue
		}
		n.wrote[op.Writer] = i
		if op.Outcome == history.OK && op.ObservedWriter != "" {
			n.from[op.Writer] = op.ObservedWriter
		}
		switch op.Kind {
		case history.Put, history.Cas:
			n.leave(op.Writer, op.Value)
		case history.Delete:
			n.leave(op.Writer, history.Absent)
		case history.Append:
			n.appends = true
			if op.Value.IsAbsent() {
				n.giveUp("operation %d appends nothing", i)
			}
			if op.Outcome == history.OK && op.ObservedWriter == "" {
				n.giveUp("the append of operation %d does not name what it replaced", i)
			}
		}
		if op.Kind == history.Cas && op.Outcome == history.OK && op.ObservedWriter == "" {
			n.giveUp("the cas of operation %d does not name what it replaced", i)
		}
	}
}

func (n *translation) leave(name string, v history.Value) {
	if _, known := n.left[name]; known {
		return
	}
	n.left[name] = v
	if _, ok := n.byValue[v]; ok {
		n.byValue[v] = ""
		return
	}
	n.byValue[v] = name
}

// resolve finds out what appends left, from what was read of them or what
// they replaced, and what writes of unknown outcome replaced, from values.
func (n *translation) resolve() {
	for i := range n.ops {
		op := &n.ops[i]
		if (op.Kind == history.Get && op.Outcome == history.OK || op.Outcome == history.Fail) && op.Observed.Stated() && op.ObservedWriter != "" {
			if w, ok := n.wrote[op.ObservedWriter]; ok && n.ops[w].Kind == history.Append {
				n.leave(op.ObservedWriter, op.Observed)
			}
		}
	}
	n.followAppends()
	for name, i := range n.wrote {
		if op := &n.ops[i]; op.Kind == history.Append {
			if _, known := n.left[name]; !known {
				n.vague = append(n.vague, op.Value.Text())
			}
		}
	}
	// Only a write of unknown outcome that somebody saw has to know what it
	// replaced; so has, in turn, what it replaced.
	var seen []string
	for i := range n.ops {
		if op := &n.ops[i]; op.Outcome != history.Unknown && op.ObservedWriter != "" {
			seen = append(seen, op.ObservedWriter)
		}
	}
	for len(seen) > 0 {
		name := seen[len(seen)-1]
		seen = seen[:len(seen)-1]
		if before := n.guess(name); before != "" {
			seen = append(seen, before)
		}
	}
}

// maxFollowed bounds the texts that followAppends makes, in bytes.
const maxFollowed = 64 << 20

// followAppends finds out what appends left from what they replaced. A few
// rounds do: a write mostly ends after what it replaced.
func (n *translation) followAppends() {
	size := 0
	for range 4 {
		for i := range n.ops {
			op := &n.ops[i]
			if op.Kind != history.Append || op.Outcome != history.OK || op.ObservedWriter == "" {
				continue
			}
			before, ok := n.left[op.ObservedWriter]
			if _, known := n.left[op.Writer]; !ok || known {
				continue
			}
			left := before.Append(op.Value)
			if size += len(left.Text()); size > maxFollowed {
				return
			}
			n.leave(op.Writer, left)
		}
	}
}

// guess finds out from values what a write of unknown outcome replaced, and
// returns its name the first time.
func (n *translation) guess(name string) string {
	i, ok := n.wrote[name]
	if _, known := n.from[name]; !ok || known || n.ops[i].Outcome != history.Unknown {
		return ""
	}
	switch op := &n.ops[i]; op.Kind {
	case history.Cas:
		n.from[name] = n.only(op.Expected)
	case history.Append:
		if left, ok := n.left[name]; ok && strings.HasSuffix(left.Text(), op.Value.Text()) {
			n.from[name] = n.onlyText(strings.TrimSuffix(left.Text(), op.Value.Text()))
		}
	}
	return n.from[name]
}

// only returns the name of the one write that can have left a value; "" if
// several can, or if an append of which nobody knows what it left may have.
func (n *translation) only(v history.Value) string {
	for _, suffix := range n.vague {
		if v.IsText() && strings.HasSuffix(v.Text(), suffix) {
			return ""
		}
	}
	return n.byValue[v]
}

// onlyText does the same for a text in front of an append: "" may have been
// nothing, too.
func (n *translation) onlyText(text string) string {
	if text != "" {
		return n.only(history.String(text))
	}
	if _, also := n.byValue[history.String("")]; also {
		return ""
	}
	return n.only(history.Absent)
}

// state returns the state of a name.
func (n *translation) state(name string) keylog.StateID {
	id, ok := n.ids[name]
	if !ok {
		id = keylog.Initial + keylog.StateID(len(n.ids))
		n.ids[name] = id
	}
	return id
}

// enter makes the entries.
func (n *translation) enter() {
	for i := range n.ops {
		op := &n.ops[i]
		e := keylog.Entry{Call: op.Call, Ret: op.End(), At: uint32(i)}
		switch {
		case !model.KV.Constrains(op):
		case op.Kind == history.Get || op.Outcome == history.Fail:
			e.Kind, e.Seen = keylog.Read, n.state(op.ObservedWriter)
			n.compare(i, op)
		default:
			e.Kind, e.Value = keylog.Write, n.state(op.Writer)
			before, replaces := n.from[op.Writer]
			if replaces || op.Kind == history.Cas || op.Kind == history.Append {
				e.Kind = keylog.ReadModifyWrite
				if before == "" {
					// Only an effective write has to know what it replaced; one
					// that nobody saw is left out. Names that don't exist stand
					// for what isn't known.
					before = "?" + op.Writer
				}
				e.Seen = n.state(before)
				n.compare(i, op)
			}
		}
		n.entries = append(n.entries, e)
	}
}

// compare compares the value that operation i tells with the one that the
// write it names left.
func (n *translation) compare(i int, op *history.Op) {
	left, known := n.left[op.ObservedWriter]
	if !known || op.ObservedWriter == "" || n.bad >= 0 {
		return
	}
	switch {
	case op.Kind == history.Get || op.Outcome == history.Fail && op.Observed.Stated():
		if op.Observed != left || op.Outcome == history.Fail && op.Observed == op.Expected {
			n.bad = i
		}
	case op.Kind == history.Cas && op.Outcome == history.Fail:
		if left == op.Expected {
			n.bad = i
		}
	case op.Kind == history.Cas && op.Outcome == history.OK:
		if left != op.Expected {
			n.bad = i
		}
	case op.Kind == history.Append && op.Outcome == history.OK:
		if after, ok := n.left[op.Writer]; ok && after != left.Append(op.Value) {
			n.bad = i
		}
	}
}

// unresolved reports whether a write of unknown outcome was seen of which it is
// not known what it replaced: the key may then only seem illegal.
func (k *Key) unresolved() bool {
	n := k.t
	for name, i := range n.wrote {
		op := &n.ops[i]
		if op.Outcome == history.Unknown && (op.Kind == history.Cas || op.Kind == history.Append) && n.from[name] == "" {
			if k.zones.Seen(n.entries[i].Value) {
				return true
			}
		}
	}
	return false
}

// Conflict returns operations that make a key illegal that was judged so.
func (k *Key) Conflict() []history.Op {
	n := k.t
	var set []history.Op
	if n.bad >= 0 {
		w, ok := n.wrote[n.ops[n.bad].ObservedWriter]
		switch {
		case n.appends:
			for i := range n.ops {
				if model.KV.Constrains(&n.ops[i]) {
					set = append(set, n.ops[i])
				}
			}
			return set
		case !ok:
			return []history.Op{n.ops[n.bad]}
		}
		return []history.Op{n.ops[w], n.ops[n.bad]}
	}
	for _, at := range k.zones.Conflict() {
		set = append(set, n.ops[at])
	}
	return set
}

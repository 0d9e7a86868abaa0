// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"fmt"
	"slices"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// Sentence says what is wrong with a core. failed is an operation that failed
// and would have written what the one operation of the core saw; nil for none.
func Sentence(core []history.Op, failed *history.Op) string {
	if len(core) == 0 {
		return "the operations can't be put in any order"
	}
	last := lastObserver(core)
	who := actor(last)
	switch {
	case len(core) == 1 && failed != nil:
		return fmt.Sprintf("%s, but client %d's %s of it had failed at %s", who, failed.Client, failed.Kind, FormatTime(failed.Return))
	case len(core) == 1 && last.Kind == history.Cas && last.Outcome == history.Fail && last.Observed == last.Expected:
		return who + ", which is what it expected"
	case len(core) == 1 && last.ObservedWriter == "" && last.Kind != history.Query && last.Kind != history.Command: // a test's own
		return who + ", but no operation wrote that"
	}
	for _, tell := range []func([]history.Op) string{unknownWriter, wrongWriter, lostUpdate, doubleCas, futureRead} {
		if s := tell(core); s != "" {
			return s
		}
	}
	if before := lastAgainst(core, last); before != nil {
		return fmt.Sprintf("%s, but %s %s and was done at %s, before it was called at %s%s",
			who, client(before), sameKey(before, last), FormatTime(before.Return), FormatTime(last.Call), others(len(core)-2))
	}
	switch len(core) {
	case 1:
		return who + ", which nothing explains"
	case 2:
		return who + ", which no order of it and the other operation explains"
	}
	return fmt.Sprintf("%s, which no order of it and the %d other operations explains", who, len(core)-1)
}

func actor(op *history.Op) string {
	if op.Outcome == history.Unknown {
		return fmt.Sprintf("%s %s at %s or later", client(op), Action(op), FormatTime(op.Call))
	}
	return fmt.Sprintf("%s %s at %s", client(op), Action(op), FormatTime(op.End()))
}

// lastObserver returns the operation of a core that a sentence begins with: the last one
// that saw something.
func lastObserver(core []history.Op) *history.Op {
	for i := len(core) - 1; i >= 0; i-- {
		if saw(&core[i]).is {
			return &core[i]
		}
	}
	return &core[len(core)-1]
}

// observation is what is known of a state: the value, or that it is none.
type observation struct {
	value history.Value
	write string // the name of the write that left it, if that is stated
	is    bool   // something is known
	not   bool   // the state is not value
}

// saw returns what an operation saw of the state before it.
func saw(op *history.Op) observation {
	g := observation{value: op.Observed, write: op.ObservedWriter, is: true}
	switch {
	case op.Outcome == history.Unknown:
		return observation{}
	case op.Kind == history.Cas && op.Outcome == history.OK:
		g.value = op.Expected
	case op.Kind == history.Cas && !op.Observed.Stated():
		g.value, g.not = op.Expected, true
	case !op.Observed.Stated():
		return observation{}
	}
	return g
}

// left returns what an operation left when it was done.
func left(op *history.Op) observation {
	g := observation{value: op.Value, write: op.Writer, is: true}
	switch {
	case op.Outcome == history.Unknown:
		return observation{}
	case op.Kind == history.Get || op.Outcome == history.Fail:
		return saw(op)
	case op.Kind == history.Delete:
		g.value = history.Absent
	case op.Kind != history.Put && op.Kind != history.Cas:
		return observation{}
	}
	return g
}

// against reports whether two observations can't be of one state.
func (g observation) against(o observation) bool {
	switch {
	case !g.is || !o.is || g.not && o.not:
		return false
	case g.not || o.not:
		return g.value == o.value
	case g.write != "" && o.write != "":
		return g.write != o.write
	}
	return g.value != o.value
}

// sameKey says what an operation did without repeating the key.
func sameKey(op, other *history.Op) string {
	if op.Key == other.Key {
		return action(op, "it")
	}
	return Action(op)
}

func others(n int) string {
	switch {
	case n <= 0:
		return ""
	case n == 1:
		return "; with one more operation, no order explains this"
	}
	return fmt.Sprintf("; with %d more operations, no order explains this", n)
}

// lastAgainst returns, of the operations that were done before op was called,
// the last one that left something else than op saw; of a model that is no
// key-value store the last one.
func lastAgainst(core []history.Op, op *history.Op) *history.Op {
	var best *history.Op
	for i := range core {
		o := &core[i]
		if o == op || o.End() >= op.Call || best != nil && o.End() <= best.End() {
			continue
		}
		if !saw(op).is || !left(o).is || left(o).against(saw(op)) {
			best = o
		}
	}
	return best
}

// unknownWriter is about an operation that saw a write of which there is none.
func unknownWriter(core []history.Op) string {
	for i := range core {
		op := &core[i]
		if op.ObservedWriter == "" || op.ObservedWriter == history.InitialWriter {
			continue
		}
		if !slices.ContainsFunc(core, func(w history.Op) bool { return w.Kind.Mutates() && w.Writer == op.ObservedWriter }) {
			return fmt.Sprintf("%s, as write %s left it, but there is no such write", actor(op), op.ObservedWriter)
		}
	}
	return ""
}

// wrongWriter is about an operation that saw another value than the write left
// which it names.
func wrongWriter(core []history.Op) string {
	for i := range core {
		op := &core[i]
		seen := saw(op)
		if seen.write == "" || seen.write == history.InitialWriter || seen.not {
			continue
		}
		for j := range core {
			w := &core[j]
			if w.Writer == seen.write && (w.Kind == history.Put || w.Kind == history.Cas || w.Kind == history.Delete) && written(w) != seen.value {
				return fmt.Sprintf("%s, as write %s left it, but that is the one with which %s %s",
					actor(op), seen.write, client(w), sameKey(w, op))
			}
		}
	}
	return ""
}

// lostUpdate is about two writes that both say they replaced the same one: a
// lost update.
func lostUpdate(core []history.Op) string {
	for i := range core {
		for j := range core[:i] {
			a, b := &core[j], &core[i]
			if a.ObservedWriter == "" || a.ObservedWriter != b.ObservedWriter || a.Outcome != history.OK || b.Outcome != history.OK ||
				!a.Kind.Mutates() || !b.Kind.Mutates() {
				continue
			}
			replaced := "the initial state"
			for n := range core {
				if w := &core[n]; w.Writer == a.ObservedWriter {
					replaced = fmt.Sprintf("what %s had left there when it %s", client(w), sameKey(w, a))
				}
			}
			return fmt.Sprintf("%s %s at %s and %s %s at %s, and both replaced %s",
				client(a), Action(a), FormatTime(a.End()), client(b), sameKey(b, a), FormatTime(b.End()), replaced)
		}
	}
	return ""
}

// doubleCas is about two cas that both replaced the one write of a value.
func doubleCas(core []history.Op) string {
	if len(core) > 4 {
		return ""
	}
	for i := range core {
		for j := range core[:i] {
			writers := 0
			a, b := &core[j], &core[i]
			if a.Kind != history.Cas || b.Kind != history.Cas || a.Outcome == history.Fail || b.Outcome == history.Fail || a.Expected != b.Expected {
				continue
			}
			for n := range core {
				if w := &core[n]; n != i && n != j && w.Kind.Mutates() && w.Value == a.Expected {
					writers++
				}
			}
			if writers <= 1 {
				return fmt.Sprintf("%s %s and %s %s, but %s was there only once",
					client(a), Action(a), client(b), sameKey(b, a), a.Expected)
			}
		}
	}
	return ""
}

// futureRead is about a read that was over before the write of what it saw began.
func futureRead(core []history.Op) string {
	if len(core) != 2 {
		return ""
	}
	a, b := &core[0], &core[1]
	if a.Kind == history.Get && b.Kind.Mutates() && a.End() < b.Call && a.Observed == b.Value {
		return fmt.Sprintf("%s %s at %s, but %s began to write it only at %s",
			client(a), Action(a), FormatTime(a.Return), client(b), FormatTime(b.Call))
	}
	return ""
}

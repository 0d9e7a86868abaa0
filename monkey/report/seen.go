// SPDX-License-Identifier: Apache-2.0

package report

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear"
	"github.com/drumbeat-raft/drumbeat/checker/linear/explain"
	"github.com/drumbeat-raft/drumbeat/monkey/judge"
)

// sight is the state that the last operation of a violation saw, and the one it
// should have seen. It is empty where that can't be told.
type sight struct {
	Verb     string // saw, or replaced
	Saw      string
	Expected []string // any of these
}

// maxExpected bounds the states that are listed as right.
const maxExpected = 4

// expectLimit bounds the time for finding out what is right.
const expectLimit = 5 * time.Second

// seen finds out what the last operation of the core that saw a state should
// have seen: it asks the checker which of the states that the key ever had would
// make the violation go away, for all operations on the key, or at least for the
// core.
func seen(ctx context.Context, f judge.Check, ops []history.Op) sight {
	last := -1
	for i := range f.Operations {
		if op := &f.Operations[i]; observes(op) && (last < 0 || op.Call > f.Operations[last].Call) {
			last = i
		}
	}
	if last < 0 {
		return sight{}
	}
	ctx, cancel := context.WithTimeout(ctx, expectLimit)
	defer cancel()
	of := history.OfKey(ops, f.Key)
	was := f.Operations[last]
	states := statesOf(of)
	s := sight{Verb: "saw", Saw: stateText(was.Observed, was.ObservedWriter, of)}
	if !was.Observed.Stated() { // a write, of which it is known whose state it replaced
		s.Verb, s.Saw = "replaced", fmt.Sprintf("what write %s left", was.ObservedWriter)
		if i := slices.IndexFunc(states, func(x state) bool { return x.writer == was.ObservedWriter }); i >= 0 {
			s.Saw = stateText(states[i].value, states[i].writer, of)
		}
	}
	for _, all := range [][]history.Op{of, f.Operations} {
		all = slices.Clone(all)
		at := slices.IndexFunc(all, func(op history.Op) bool { return op.ID == was.ID })
		for _, state := range states {
			if at < 0 || ctx.Err() != nil {
				break
			}
			all[at].ObservedWriter = state.writer
			if was.Observed.Stated() {
				all[at].Observed = state.value
			}
			res, err := linear.Check(ctx, all, linear.Options{NoCore: true})
			if err == nil && res.Verdict == linear.OK {
				s.Expected = append(s.Expected, stateText(state.value, state.writer, of))
			}
		}
		if len(s.Expected) > 0 {
			break
		}
	}
	if len(s.Expected) == 0 || len(s.Expected) > maxExpected || ctx.Err() != nil {
		return sight{}
	}
	return s
}

// observes reports whether an operation was answered with the state of its key, or
// with whose state it replaced.
func observes(op *history.Op) bool { return op.ObservedWriter != "" && op.Outcome != history.Unknown }

// state is what a key held: a value, or none, and who left it there.
type state struct {
	value  history.Value
	writer string
}

// statesOf lists the states that a key is known to have had, each once: the first
// one, those that writes left, those that were seen.
func statesOf(ops []history.Op) []state {
	all := []state{{history.Absent, history.InitialWriter}}
	for i := range ops {
		op := &ops[i]
		switch {
		case op.Kind == history.Put, op.Kind == history.Cas && op.Outcome != history.Fail:
			all = append(all, state{op.Value, op.Writer})
		case op.Kind == history.Delete && op.Outcome != history.Fail:
			all = append(all, state{history.Absent, op.Writer})
		case observes(op) && op.Observed.Stated():
			all = append(all, state{op.Observed, op.ObservedWriter})
		}
	}
	var once []state
	for _, s := range all {
		if !slices.Contains(once, s) {
			once = append(once, s)
		}
	}
	return once
}

// stateText names a state and the operation that left it.
func stateText(value history.Value, writer string, ops []history.Op) string {
	if writer == history.InitialWriter {
		return fmt.Sprintf("%s, as it was before the first write", value)
	}
	for i := range ops {
		if op := &ops[i]; op.Writer == writer {
			return fmt.Sprintf("%s, which client %d left there when it %s", value, op.Client, strings.TrimPrefix(explain.Action(op), "perhaps "))
		}
	}
	return fmt.Sprintf("%s, left by write %s, of which nothing is known", value, writer)
}

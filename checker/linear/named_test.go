// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/model"
)

// withNames is a model whose states know the name of the last write: what judgeNamed
// decides, for the general search.
type withNames struct{ model.Model }

type namedState struct {
	of     model.State
	writer string
}

func (m withNames) Init(part string) model.State {
	return namedState{m.Model.Init(part), history.InitialWriter}
}

func (m withNames) Step(s model.State, op *history.Op) (model.State, bool) {
	now := s.(namedState)
	if op.Outcome != history.Unknown && op.ObservedWriter != now.writer {
		return s, false
	}
	next, ok := m.Model.Step(now.of, op)
	if !op.Kind.Mutates() || op.Outcome == history.Fail {
		return s, ok
	}
	if refuser, can := m.Model.(model.Refuser); can && refuser.Refuses(now.of, op) {
		return s, ok
	}
	return namedState{next, op.Writer}, ok
}

// drawNamed draws a history of one object: operations of some clients, each of which
// takes effect at a moment between its call and its return, or, of unknown outcome, at
// any later one or never. Then some answers are damaged.
// Trails have so many names.
func drawNamed(r *rand.Rand, kind string, ops, damage, trails int) []history.Op {
	type step struct {
		at int64
		op int
	}
	all := make([]history.Op, ops)
	var steps []step
	for i := range all {
		call := int64(r.IntN(20 * ops))
		all[i] = drawObjectOp(r, kind, fmt.Sprintf("w%d", i))
		all[i].Client, all[i].Call, all[i].Return, all[i].Key, all[i].ID = int64(i), call, call+1+int64(r.IntN(60)), "k", uint64(i+1)
		all[i].Outcome = history.OK
		at := call + r.Int64N(all[i].Return-call)
		if all[i].Kind.Mutates() && r.IntN(4) == 0 {
			all[i].Outcome = history.Unknown
			if at = call + r.Int64N(int64(10*ops)); r.IntN(3) == 0 {
				continue // never
			}
		}
		steps = append(steps, step{at, i})
	}
	slices.SortFunc(steps, func(a, b step) int { return int(a.at - b.at) })
	o := objects[kind]
	state, trail := o.Init("k"), []string{history.InitialWriter}
	for _, s := range steps {
		op := &all[s.op]
		seen := trail
		if refuser, can := o.(model.Refuser); can && refuser.Refuses(state, op) {
			if op.Outcome == history.OK {
				op.Outcome, op.Refuted = history.Fail, true
			}
		} else {
			var answer history.Value
			state, answer = do(o, state, op)
			if op.Outcome == history.OK {
				op.Observed = answer
			}
			if op.Kind.Mutates() {
				trail = append([]string{op.Writer}, trail...)
			}
		}
		if op.Outcome != history.Unknown {
			op.ObservedWriter = seen[0]
			if text, err := json.Marshal(seen[1:min(len(seen), trails)]); err == nil && trails > 1 {
				op.Extra = map[string]json.RawMessage{"trail": text}
			}
		}
	}
	for range damage {
		a, b := &all[r.IntN(ops)], &all[r.IntN(ops)]
		if a.Outcome == history.OK && b.Outcome == history.OK && a.Kind == b.Kind {
			if r.IntN(2) == 0 {
				a.Observed = b.Observed
			} else {
				a.ObservedWriter = b.ObservedWriter
			}
		}
	}
	return all
}

// objects are the models whose histories have names.
var objects = map[string]model.Model{"counter": model.Counter, "set": model.Set, "bank": model.Banks, "queue": model.Queue, "table": model.Table}

func drawObjectOp(r *rand.Rand, kind, name string) history.Op {
	op := history.Op{Writer: name}
	if r.IntN(3) == 0 {
		return history.Op{Kind: history.Get}
	}
	switch kind {
	case "counter":
		op.Kind, op.Value = history.Add, history.Int(r.Int64N(5)-2)
	case "set":
		op.Kind, op.Value = []history.Kind{history.Add, history.Remove}[r.IntN(2)], history.String(fmt.Sprint(r.IntN(3)))
	case "bank":
		op.Kind, op.Value = history.Transfer, history.String(fmt.Sprintf(`{"from":"%c","to":"%c","amount":%d}`, 'a'+rune(r.IntN(2)), 'c'+rune(r.IntN(2)), 40+r.IntN(60)))
	case "queue":
		if op.Kind = history.Dequeue; r.IntN(2) == 0 {
			op.Kind, op.Value = history.Enqueue, history.String(name)
		}
	case "table":
		op.Kind, op.Value = history.Txn, history.String(fmt.Sprintf(`[["r","x",null],["append","%c",%q]]`, 'x'+rune(r.IntN(2)), name))
	}
	return op
}

// do carries an operation out: of its answers, the one that the model gives.
func do(m model.Model, s model.State, op *history.Op) (next model.State, answer history.Value) {
	asked := *op
	asked.Outcome = history.OK
	text, _ := s.(string)
	switch n := s.(type) {
	case int64:
		answer = history.Int(n)
	default:
		answer = history.String(text)
	}
	switch op.Kind {
	case history.Dequeue:
		answer = history.Absent
		if all := queued(text); len(all) > 0 {
			answer = history.String(all[0])
		}
	case history.Txn:
		answer = history.String(answeredTxn(text, op.Value.Text()))
	case history.Get:
	default: // it is optional
		sum, isSum := s.(int64)
		n, _ := op.Value.Int()
		if answer = (history.Value{}); isSum && op.ID%2 == 0 {
			answer = history.Int(sum + n)
		}
	}
	asked.Observed = answer
	next, ok := m.Step(s, &asked)
	if !ok {
		panic(fmt.Sprintf("%s does not answer %v", m.Name(), asked))
	}
	return next, answer
}

func TestNamesDecideWhatTheGeneralSearchDecides(t *testing.T) {
	verdicts := map[Verdict]int{}
	for kind, m := range objects {
		for seed := range uint64(400) {
			r := rand.New(rand.NewPCG(seed, 1))
			ops := drawNamed(r, kind, 4+r.IntN(14), r.IntN(3), 1)
			want, err := Check(t.Context(), ops, Options{Model: withNames{m}, Engine: Search, NoCore: true})
			require.NoError(t, err)
			parts, err := split(m, ops)
			require.NoError(t, err)
			for _, p := range parts {
				got := p.judgeNamed(context.Background(), m)
				verdicts[got.verdict]++
				if got.verdict != Unknown {
					require.Equal(t, want.Verdict, got.verdict, "%s, seed %d: %s\n%v", kind, seed, got.why, ops)
				}
				if got.verdict == OK {
					require.NoError(t, model.Verify(withNames{m}, "k", p.ops, got.order), "%s, seed %d", kind, seed)
				} else if got.verdict == Violation {
					require.NotEmpty(t, got.core)
				}
			}
		}
	}
	t.Log(verdicts)
	require.Less(t, 20*verdicts[Unknown], verdicts[OK]+verdicts[Violation], "names are to decide nearly all")
	require.Greater(t, verdicts[Violation], 200)
}

func queued(text string) (all []string) {
	_ = json.Unmarshal([]byte(text), &all)
	return all
}

func answeredTxn(table, steps string) string {
	var all [][3]any
	_ = json.Unmarshal([]byte(steps), &all)
	for i, s := range all {
		if s[0] == "r" {
			if text, there := before(table, all[:i])[s[1].(string)]; there {
				all[i][2] = text
			}
		}
	}
	text, _ := json.Marshal(all)
	return string(text)
}

// before is a table after steps that append.
func before(table string, steps [][3]any) map[string]string {
	rows := map[string]string{}
	_ = json.Unmarshal([]byte(table), &rows)
	for _, s := range steps {
		if s[0] == "append" {
			rows[s[1].(string)] += s[2].(string)
		}
	}
	return rows
}

// Trails leave nothing to try: they say what writes of unknown outcome replaced.
func TestTrailsDecideAll(t *testing.T) {
	for kind, m := range objects {
		for seed := range uint64(100) {
			r := rand.New(rand.NewPCG(seed, 2))
			ops := drawNamed(r, kind, 150, 0, 20)
			res, err := Check(t.Context(), ops, Options{Model: m, Engine: Zones, Certify: true})
			require.NoError(t, err)
			require.Equal(t, OK, res.Verdict, "%s, seed %d: %s", kind, seed, res.Explanation)
		}
	}
}

func TestTrailsThatContradictEachOther(t *testing.T) {
	get := func(client int64, writer, trail string) history.Op {
		return history.Op{Client: client, Key: "k", Kind: history.Get, Observed: history.Int(1), ObservedWriter: writer, Call: 10 * client, Return: 10*client + 1,
			Outcome: history.OK, Extra: map[string]json.RawMessage{"trail": json.RawMessage(trail)}}
	}
	add := history.Op{Key: "k", Kind: history.Add, Value: history.Int(1), Writer: "a", Call: 1, Outcome: history.Unknown}
	res, err := Check(t.Context(), []history.Op{add, get(1, "a", `["b"]`), get(2, "a", `["initial"]`)}, Options{Model: model.Counter})
	require.NoError(t, err)
	require.Equal(t, Violation, res.Verdict)
	require.Equal(t, "client 1 was told that write a replaced b, and client 2 that it replaced initial", res.Explanation)
}

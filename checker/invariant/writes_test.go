// SPDX-License-Identifier: Apache-2.0

package invariant

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// write makes an acknowledged write on key k of cluster 1, or one of unknown
// outcome if ret is 0.
func write(kind history.Kind, v string, call, ret int64) history.Op {
	op := history.Op{Cluster: 1, Key: "k", Kind: kind, Value: history.String(v), Call: call, Return: ret, Outcome: history.OK}
	if kind == history.Delete {
		op.Value = history.Value{}
	}
	if ret == 0 {
		op.Outcome = history.Unknown
	}
	return op
}

// named gives the writes names, w1 and so on, and says what each replaced.
func named(ops []history.Op, replaced ...string) []history.Op {
	for i := range ops {
		ops[i].Writer, ops[i].ObservedWriter = fmt.Sprintf("w%d", i+1), replaced[i]
	}
	return ops
}

func TestWhatAKeyMayHoldAtTheEnd(t *testing.T) {
	put, app, del := history.Put, history.Append, history.Delete
	list := func(ops ...history.Op) []history.Op { return ops }
	at := Final{Cluster: 1, Key: "k", At: 100, Until: 110}
	for name, c := range map[string]struct {
		ops     []history.Op
		value   *string
		writer  string
		verdict Verdict
		detail  string
	}{
		"put and append":              {list(write(put, "v", 1, 2), write(app, "z", 3, 4)), str("vz"), "", Pass, "1 keys of 1 clusters hold what 2 writes left there"},
		"an append of unknown fate":   {list(write(put, "v", 1, 2), write(app, "z", 3, 0)), str("v"), "", Pass, ""},
		"one that took effect":        {list(write(put, "v", 1, 2), write(app, "z", 3, 0)), str("vz"), "", Pass, ""},
		"and now garbage":             {list(write(put, "v", 1, 2), write(app, "z", 3, 0)), str("garbage"), "", Violation, "can't leave"},
		"an append before the put":    {list(write(app, "z", 1, 2), write(put, "v", 3, 4)), str("v"), "", Pass, ""},
		"an append after the put":     {list(write(put, "v", 1, 2), write(app, "z", 3, 4)), str("v"), "", Violation, `without "z"`},
		"an append beside the put":    {list(write(put, "v", 1, 4), write(app, "z", 3, 5)), str("v"), "", Pass, ""},
		"a put that came too late":    {list(write(app, "z", 3, 4), write(put, "v", 1, 0)), str("v"), "", Pass, ""},
		"the put is gone":             {list(write(app, "z", 1, 2), write(put, "v", 3, 4)), str("z"), "", Violation, `later put of "v"`},
		"a token within a token":      {list(write(app, "c1-1", 1, 2), write(app, "c1-10", 3, 4)), str("c1-10"), "", Violation, `without "c1-1"`},
		"both tokens":                 {list(write(app, "c1-1", 1, 2), write(app, "c1-10", 3, 4)), str("c1-1c1-10"), "", Pass, ""},
		"in the wrong order":          {list(write(app, "c1-1", 1, 2), write(app, "c1-10", 3, 4)), str("c1-10c1-1"), "", Violation, "can't leave"},
		"twice":                       {list(write(app, "a", 1, 2)), str("aa"), "", Violation, "can't leave"},
		"twice by two":                {list(write(app, "a", 1, 2), write(app, "a", 1, 0)), str("aa"), "", Pass, ""},
		"more than one way":           {list(write(app, "ab", 1, 0), write(app, "a", 1, 9), write(app, "b", 1, 9)), str("ab"), "", Pass, ""},
		"from the future":             {list(write(put, "v", 1, 2), write(put, "late", 111, 112)), str("late"), "", Violation, "which nobody wrote before"},
		"beside the read":             {list(write(put, "v", 1, 2), write(put, "late", 105, 112)), str("late"), "", Inconclusive, "last read at"},
		"unknown, beside the read":    {list(write(put, "v", 1, 2), write(put, "late", 105, 0)), str("late"), "", Pass, ""},
		"deleted":                     {list(write(put, "v", 1, 2), write(del, "", 3, 4)), nil, "", Pass, ""},
		"deleted, perhaps":            {list(write(put, "v", 1, 2), write(del, "", 3, 0)), nil, "", Pass, ""},
		"resurrected":                 {list(write(put, "v", 1, 2), write(del, "", 3, 4)), str("v"), "", Violation, "later delete was acknowledged"},
		"appended to what is no more": {list(write(put, "v", 1, 2), write(del, "", 3, 4), write(app, "z", 5, 6)), str("z"), "", Pass, ""},
		"gone":                        {list(write(put, "v", 5, 6), write(del, "", 3, 4)), nil, "", Violation, `later put of "v"`},
		"an empty append":             {list(write(app, "", 1, 2)), str(""), "", Pass, ""},
		"nothing, appended":           {list(write(app, "", 1, 2), write(put, "v", 3, 4)), str("v"), "", Pass, ""},
		"appended nothing":            {list(write(put, "v", 1, 2), write(app, "", 3, 4)), str("v"), "", Pass, ""},
		"no history":                  {nil, nil, "", Inconclusive, "no key that an acknowledged write went to"},
		"only unknown writes":         {list(write(put, "v", 1, 0)), str("v"), "", Inconclusive, "no key that an acknowledged write went to"},
		"another model":               {list(write(history.Add, "1", 1, 2)), str("1"), "", Inconclusive, "what a add leaves"},
		"integers":                    {list(history.Op{Cluster: 1, Key: "k", Kind: put, Value: history.Int(5), Call: 1, Return: 2, Outcome: history.OK}), str("5"), "", Pass, ""},

		"by names":                   {named(list(write(put, "a", 1, 2), write(app, "a", 3, 4), write(app, "a", 5, 6)), "initial", "w1", "w2"), str("aaa"), "w3", Pass, ""},
		"by names, one short":        {named(list(write(put, "a", 1, 2), write(app, "a", 3, 4), write(app, "a", 5, 6)), "initial", "w1", "w2"), str("aa"), "w3", Violation, "can't leave"},
		"by names, from nothing":     {named(list(write(app, "a", 1, 2), write(app, "b", 3, 4)), "initial", "w1"), str("ab"), "w2", Pass, ""},
		"by names, from a delete":    {named(list(write(del, "", 1, 2), write(app, "b", 3, 4)), "initial", "w1"), str("b"), "w2", Pass, ""},
		"by names, beside":           {named(list(write(put, "a", 1, 2), write(app, "b", 3, 9), write(put, "c", 3, 9)), "w3", "w1", "initial"), str("ab"), "w2", Violation, ""},
		"by names, a lost one":       {named(list(write(put, "a", 1, 2), write(app, "b", 3, 4), write(app, "c", 5, 6)), "initial", "w1", "w1"), str("ac"), "w3", Violation, `without "b"`},
		"by names, one unknown":      {named(list(write(put, "a", 1, 2), write(app, "b", 3, 0), write(app, "c", 5, 6)), "initial", "", "w2"), str("abc"), "w3", Pass, ""},
		"by names, unknown and lost": {named(list(write(put, "a", 1, 2), write(app, "b", 3, 0), write(app, "c", 5, 6)), "initial", "", "w2"), str("bc"), "w3", Violation, `later put of "a"`},
		"by the name of nobody":      {named(list(write(put, "a", 1, 2)), "initial"), str("a"), "w7", Violation, "nobody wrote"},
		"never written":              {named(list(write(put, "a", 1, 2)), "initial"), str("a"), "initial", Violation, "nobody wrote"},
		"with a name too few":        {append(named(list(write(put, "a", 1, 2)), "initial"), write(app, "b", 3, 4)), str("ab"), "w7", Pass, ""},
	} {
		t.Run(name, func(t *testing.T) {
			final := at
			final.Value, final.Writer = c.value, c.writer
			f := writesOf(&Facts{Clusters: []Cluster{{1, 3}}, Finals: []Final{final}}, c.ops)
			require.Equal(t, c.verdict, f.Verdict, f.Detail)
			require.Contains(t, f.Detail, c.detail)
		})
	}
}

func TestEveryAcknowledgedWriteMustHaveBeenLookedFor(t *testing.T) {
	ops := []history.Op{write(history.Put, "v", 1, 2), write(history.Put, "x", 1, 2), write(history.Put, "y", 1, 2)}
	ops[1].Key, ops[2].Key, ops[2].Cluster = "other", "deleted", 9
	f := &Facts{Clusters: []Cluster{{1, 3}}, Finals: []Final{{Cluster: 1, Key: "k", Value: str("v"), At: 100}}}
	finding := writesOf(f, ops)
	require.Equal(t, Inconclusive, finding.Verdict)
	require.Equal(t, "key other was written and not read after healing", finding.Detail)
	f.Finals = append(f.Finals, Final{Cluster: 1, Key: "other", Value: str("x"), At: 100})
	require.Equal(t, Pass, writesOf(f, ops).Verdict, "the key of a cluster that is not there can't be read")
	f.Clusters = append(f.Clusters, Cluster{2, 3})
	require.Contains(t, writesOf(f, ops).Detail, "cluster 2: no key that an acknowledged write went to was read after healing")
	f.Clusters = nil
	require.Equal(t, Inconclusive, writesOf(f, ops).Verdict)
}

// TestTheSearchForAStoryIsBounded: equal tokens can be put together in more ways
// than anybody can try.
func TestTheSearchForAStoryIsBounded(t *testing.T) {
	var ops []history.Op
	value := ""
	for range 40 {
		ops = append(ops, write(history.Append, "a", 1, 2), write(history.Append, "aa", 1, 2))
		value += "aa"
	}
	finding := writesOf(&Facts{Clusters: []Cluster{{1, 3}}, Finals: []Final{{Cluster: 1, Key: "k", Value: str(value), At: 100}}}, ops)
	require.Equal(t, Inconclusive, finding.Verdict, finding.Detail)
	require.Contains(t, finding.Detail, "too many ways")
}

// TestWhatOneCopyLeavesIsNeverWrong executes writes one after the other, each at
// some time between its call and its return, and reads what they leave.
func TestWhatOneCopyLeavesIsNeverWrong(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		drawn := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		names, state, writer := drawn.IntN(2) == 0, history.Absent, history.InitialWriter
		var ops []history.Op
		for i := range int64(1 + drawn.IntN(12)) {
			kinds := []history.Kind{history.Put, history.Append, history.Append, history.Append, history.Delete}
			op := write(kinds[drawn.IntN(len(kinds))], string('a'+rune(drawn.IntN(4))), 0, 1)
			at := 10 * (i + 1) // when it takes effect
			op.Call, op.Return, op.Client = at-int64(drawn.IntN(25)), at+int64(drawn.IntN(25)), i
			op.Writer, op.ObservedWriter = fmt.Sprintf("w%d", i), writer
			switch drawn.IntN(6) {
			case 0: // it never takes effect, as nobody knows
				op.Outcome, op.ObservedWriter = history.Unknown, ""
				ops = append(ops, op)
				continue
			case 1: // it does, as nobody knows
				op.Outcome, op.ObservedWriter = history.Unknown, ""
			}
			writer = op.Writer
			switch op.Kind {
			case history.Put:
				state = op.Value
			case history.Append:
				state = state.Append(op.Value)
			case history.Delete:
				state = history.Absent
			}
			ops = append(ops, op)
		}
		final := Final{Cluster: 1, Key: "k", At: 200, Writer: writer}
		if !state.IsAbsent() {
			final.Value = str(state.Text())
		}
		if !names {
			final.Writer = ""
			for i := range ops {
				ops[i].Writer, ops[i].ObservedWriter = "", ""
			}
		}
		f := &Facts{Clusters: []Cluster{{1, 3}}, Finals: []Final{final}}
		require.NotEqual(t, Violation, writesOf(f, ops).Verdict, "%s: %+v leave %v", writesOf(f, ops).Detail, ops, state)
		// What nobody appended is always found.
		final.Value = str(state.Text() + "?")
		f.Finals[0] = final
		require.Equal(t, Violation, writesOf(f, ops).Verdict)
	})
}

// writesOf judges facts and a history by the check of writes alone.
func writesOf(f *Facts, ops []history.Op) Finding {
	given := *f
	given.Ops, given.Healed = ops, true
	return table["writes"].run(context.Background(), &given, nil)[0]
}

// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/keylog"
	"github.com/drumbeat-raft/drumbeat/checker/linear/model"
)

// parse reads a history told in JSONL.
func parse(t *testing.T, text string) []history.Op {
	t.Helper()
	ops, err := history.ReadAll(history.NewJSONL("test", strings.NewReader(text)))
	require.NoError(t, err)
	return ops
}

func TestModels(t *testing.T) {
	const add, get = `{"key":"c","op":"add","value":%s,"call":%d,"return":%d,"outcome":"%s"}` + "\n", `{"key":"c","op":"get","observed":%s,"call":%d,"return":%d,"outcome":"ok"}` + "\n"
	a := func(v string, call, ret int, outcome string) string { return fmt.Sprintf(add, v, call, ret, outcome) }
	g := func(v string, call, ret int) string { return fmt.Sprintf(get, v, call, ret) }
	session := func(seq, call, ret int, outcome string) string {
		return fmt.Sprintf(`{"key":"c","op":"add","value":1,"session":"s","seq":%d,"call":%d,"return":%d,"outcome":"%s"}`+"\n", seq, call, ret, outcome)
	}
	transfer := func(from, to string, amount, call, ret int, outcome string) string {
		return fmt.Sprintf(`{"key":"","op":"transfer","value":"{\"from\":\"%s\",\"to\":\"%s\",\"amount\":%d}","call":%d,"return":%d,"outcome":"%s"}`+"\n", from, to, amount, call, ret, outcome)
	}
	open := `{"key":"a","op":"put","value":10,"call":1,"return":2,"outcome":"ok"}` + "\n"
	for name, c := range map[string]struct {
		model model.Model
		text  string
		want  Verdict
	}{
		"counter":                    {model.Counter, a("2", 1, 2, "ok") + a("3", 1, 9, "ok") + g("2", 3, 4) + g("5", 5, 6), OK},
		"counter lost an add":        {model.Counter, a("2", 1, 2, "ok") + a("3", 3, 4, "ok") + g("3", 5, 6), Violation},
		"counter unknown add":        {model.Counter, a("2", 1, 2, "unknown") + g("null", 3, 4) + g("2", 5, 6), OK},
		"counter add twice":          {model.Counter, a("2", 1, 2, "unknown") + g("4", 5, 6), Violation},
		"counter failed add":         {model.Counter, a("2", 1, 2, "fail") + g("2", 5, 6), Violation},
		"set":                        {model.Set, a(`"x"`, 1, 2, "ok") + a(`"y"`, 1, 9, "ok") + g(`"[\"x\"]"`, 3, 4) + g(`"[\"y\",\"x\"]"`, 5, 6), OK},
		"set lost an element":        {model.Set, a(`"x"`, 1, 2, "ok") + a(`"y"`, 3, 4, "ok") + g(`"[\"y\"]"`, 5, 6), Violation},
		"set after a remove":         {model.Set, a(`"x"`, 1, 2, "ok") + strings.Replace(a(`"x"`, 3, 4, "ok"), "add", "remove", 1) + g("null", 5, 6), OK},
		"set with a ghost":           {model.Set, g(`"[\"z\"]"`, 5, 6), Violation},
		"bank":                       {model.Bank, open + transfer("a", "b", 4, 3, 4, "ok") + g(`"{\"a\":6,\"b\":4}"`, 5, 6), OK},
		"bank made money":            {model.Bank, open + transfer("a", "b", 4, 3, 4, "ok") + g(`"{\"a\":10,\"b\":4}"`, 5, 6), Violation},
		"bank unknown transfer":      {model.Bank, open + transfer("a", "b", 4, 3, 4, "unknown") + g(`"{\"a\":6,\"b\":4}"`, 5, 6) + g(`"{\"a\":6,\"b\":4}"`, 7, 8), OK},
		"bank took it back":          {model.Bank, open + transfer("a", "b", 4, 3, 4, "unknown") + g(`"{\"a\":6,\"b\":4}"`, 5, 6) + g(`"{\"a\":10}"`, 7, 8), Violation},
		"bank empties an account":    {model.Bank, open + transfer("a", "b", 10, 3, 4, "ok") + g(`"{\"b\":10}"`, 5, 6) + g(`"{\"a\":0,\"b\":10}"`, 7, 8), OK},
		"bank overdrawn":             {model.Bank, open + transfer("a", "b", 40, 3, 4, "ok"), Violation},
		"sessions retried":           {model.Sessions, session(1, 1, 2, "unknown") + session(1, 3, 4, "ok") + g("1", 5, 6), OK},
		"sessions applied twice":     {model.Sessions, session(1, 1, 2, "unknown") + session(1, 3, 4, "ok") + g("2", 5, 6), Violation},
		"sessions two proposals":     {model.Sessions, session(1, 1, 2, "ok") + session(2, 3, 4, "ok") + g("2", 5, 6), OK},
		"register":                   {model.Register, `{"op":"put","value":1,"call":1,"return":2,"outcome":"ok"}` + "\n" + `{"op":"get","observed":1,"call":3,"return":4,"outcome":"ok"}`, OK},
		"register reads nothing":     {model.Register, `{"op":"put","value":1,"call":1,"return":2,"outcome":"ok"}` + "\n" + `{"op":"get","observed":null,"call":3,"return":4,"outcome":"ok"}`, Violation},
		"a number is not its text":   {model.KV, `{"op":"put","value":1,"call":1,"return":2,"outcome":"ok"}` + "\n" + `{"op":"get","observed":"1","call":3,"return":4,"outcome":"ok"}`, Violation},
		"nothing is not empty":       {model.KV, `{"op":"put","value":"","call":1,"return":2,"outcome":"ok"}` + "\n" + `{"op":"get","observed":null,"call":3,"return":4,"outcome":"ok"}`, Violation},
		"blind failed cas, illegal":  {model.KV, `{"op":"cas","expected":null,"value":1,"refuted":true,"call":1,"return":2,"outcome":"fail"}`, Violation},
		"failed cas that says nil":   {model.KV, `{"op":"cas","expected":null,"value":1,"call":1,"return":2,"outcome":"fail"}`, OK},
		"failed cas that saw itself": {model.KV, `{"op":"cas","expected":null,"observed":null,"value":1,"call":1,"return":2,"outcome":"fail"}`, Violation},
	} {
		t.Run(name, func(t *testing.T) {
			ops := parse(t, c.text)
			for _, engine := range []string{Auto, Search, Porcupine} {
				res, err := Check(t.Context(), ops, Options{Model: c.model, Certify: true, Engine: engine})
				require.NoError(t, err)
				require.Equal(t, c.want, res.Verdict, "%s: %s", engine, res.Explanation)
				if c.want == Violation {
					require.NotEmpty(t, res.Core)
					require.NotEmpty(t, res.Explanation)
				}
			}
		})
	}
}

func TestModelsRefuseWhatTheyDontKnow(t *testing.T) {
	for name, c := range map[string]struct {
		model model.Model
		op    history.Op
	}{
		"append to a register": {model.Register, history.Op{Kind: history.Append, Value: history.String("x"), Outcome: history.OK}},
		"put to a counter":     {model.Counter, history.Op{Kind: history.Put, Value: history.Int(1), Outcome: history.OK}},
		"text for a counter":   {model.Counter, history.Op{Kind: history.Add, Value: history.String("x"), Outcome: history.OK}},
		"no element":           {model.Set, history.Op{Kind: history.Add, Value: history.Absent, Outcome: history.OK}},
		"no elements":          {model.Set, history.Op{Kind: history.Get, Observed: history.String("{"), Outcome: history.OK}},
		"no transfer":          {model.Bank, history.Op{Kind: history.Transfer, Value: history.String("{}x"), Outcome: history.OK}},
		"negative transfer":    {model.Bank, history.Op{Kind: history.Transfer, Value: history.String(`{"from":"a","to":"b","amount":-1}`), Outcome: history.OK}},
		"an add to a store":    {model.KV, history.Op{Kind: history.Add, Value: history.Int(1), Outcome: history.OK}},
		"back in time":         {model.KV, history.Op{Kind: history.Delete, Call: 2, Return: 1, Outcome: history.OK}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Check(t.Context(), []history.Op{c.op}, Options{Model: c.model})
			require.Error(t, err)
		})
	}
}

// queue is a model as a user would write one: a FIFO queue of texts.
type queue struct{}

func (queue) Name() string                   { return "queue" }
func (queue) Validate(*history.Op) error     { return nil }
func (queue) Part(op *history.Op) string     { return op.Key }
func (queue) Init(string) model.State        { return "" }
func (queue) Constrains(op *history.Op) bool { return op.Outcome != history.Fail }
func (queue) Step(s model.State, op *history.Op) (model.State, bool) {
	if op.Kind == "push" {
		return s.(string) + op.Value.Text() + ",", true
	}
	first, rest, _ := strings.Cut(s.(string), ",")
	return rest, op.Outcome == history.Unknown || first == op.Observed.Text()
}

func TestAModelOfTheUser(t *testing.T) {
	op := func(kind history.Kind, v string, call, ret int64) history.Op {
		return history.Op{Kind: kind, Value: history.String(v), Observed: history.String(v), Call: call, Return: ret, Outcome: history.OK}
	}
	good := []history.Op{op("push", "a", 1, 4), op("push", "b", 2, 3), op("pop", "b", 5, 6), op("pop", "a", 7, 8)}
	res, err := Check(t.Context(), good, Options{Model: queue{}, Certify: true})
	require.NoError(t, err)
	require.Equal(t, OK, res.Verdict)
	require.NoError(t, model.Verify(queue{}, "", good, res.Orders[""]))
	good[1].Call, good[1].Return = 5, 5 // b comes after a now
	res, err = Check(t.Context(), good, Options{Model: queue{}})
	require.NoError(t, err)
	require.Equal(t, Violation, res.Verdict)
}

func TestGivingUpIsUnknownAndSaysWhy(t *testing.T) {
	// 24 writers of one moment, values twice each, and readers that saw every
	// order: a search has to try too much for a few kilobytes.
	rng := rand.New(rand.NewPCG(1, 1))
	var ops []history.Op
	for i := range 60 {
		ops = append(ops, history.Op{Client: int64(i), Key: "k", Kind: history.Put, Value: history.Int(int64(i % 30)), Call: int64(rng.IntN(10)), Return: 1000 + int64(rng.IntN(10)), Outcome: history.OK})
	}
	for i := range 40 {
		ops = append(ops, history.Op{Client: 100, Key: "k", Kind: history.Get, Observed: history.Int(int64(rng.IntN(30))), Call: 20 + 10*int64(i), Return: 21 + 10*int64(i), Outcome: history.OK})
	}
	ops = append(ops, history.Op{Client: 101, Key: "k", Kind: history.Cas, Expected: history.Int(3), Value: history.Int(3), Refuted: true, Call: 2000, Return: 2001, Outcome: history.Fail},
		history.Op{Client: 101, Key: "k", Kind: history.Get, Observed: history.Int(77), Call: 2002, Return: 2003, Outcome: history.OK})
	for _, o := range []Options{{Memory: 20_000}, {Timeout: 1}} {
		res, err := Check(t.Context(), ops, o)
		require.NoError(t, err)
		require.Equal(t, Unknown, res.Verdict)
		require.Contains(t, res.Explanation, "gave up")
	}
}

func TestVerifyRefusesWrongOrders(t *testing.T) {
	ops := parse(t, `{"op":"put","value":1,"call":1,"return":2,"outcome":"ok"}
{"op":"put","value":2,"call":3,"return":4,"outcome":"ok"}
{"op":"get","observed":2,"call":3,"return":6,"outcome":"ok"}
{"op":"put","value":3,"call":7,"outcome":"unknown"}
{"op":"put","value":4,"call":7,"return":8,"outcome":"fail"}`)
	require.NoError(t, model.Verify(model.KV, "", ops, []int{0, 1, 2}))
	require.NoError(t, model.Verify(model.KV, "", ops, []int{0, 1, 2, 3}))
	for name, order := range map[string][]int{
		"misses one": {0, 1}, "twice": {0, 1, 2, 2}, "against time": {1, 0, 2}, "wrong answer": {0, 2, 1},
		"not there": {0, 1, 2, 9}, "negative": {0, 1, 2, -1}, "before its call": {0, 3, 1, 2},
	} {
		require.Error(t, model.Verify(model.KV, "", ops, order), name)
	}
}

func TestWhatIsObservedTwiceIsRefused(t *testing.T) {
	for text, m := range map[string]model.Model{
		`["a","a"]`:       model.Set,
		`null`:            model.Set,
		`{"a":3,"a":10}`:  model.Bank,
		`{"a":3}{"b":10}`: model.Bank,
		`[]`:              model.Bank,
	} {
		op := history.Op{Key: "k", Kind: history.Get, Observed: history.String(text), Return: 1, Outcome: history.OK}
		require.Error(t, m.Validate(&op), text)
	}
}

func TestNothingToOrderIsOK(t *testing.T) {
	ops := []history.Op{{Key: "k", Kind: history.Put, Value: history.Int(1), Call: 1, Outcome: history.Unknown}}
	for _, engine := range Engines {
		res, err := Check(t.Context(), ops, Options{Engine: engine, Certify: true})
		require.NoError(t, err)
		require.Equal(t, OK, res.Verdict, engine)
	}
}

func TestWhatCannotBeJudgedIsUnknown(t *testing.T) {
	ops := []history.Op{
		{Key: "k", Kind: history.Put, Value: history.Int(1), Writer: "w1", Return: 1, Outcome: history.OK},
		{Key: "k", Kind: history.Get, Observed: history.Int(1), ObservedWriter: "nobody", Call: 2, Return: 3, Outcome: history.OK},
	}
	l, err := keylog.Of(model.KV, ops)
	require.NoError(t, err)
	fetch := func(i int) history.Op { return ops[i] }
	require.Equal(t, Violation, CheckLog(t.Context(), l, fetch, Options{}).Verdict)
	for _, res := range []Result{
		CheckLog(t.Context(), l, nil, Options{}),
		CheckLog(t.Context(), l, fetch, Options{Model: model.Counter}),
		CheckLog(t.Context(), l, fetch, Options{Engine: "magic"}),
	} {
		require.Equal(t, Unknown, res.Verdict)
		require.NotEmpty(t, res.Explanation)
	}
	_, err = Check(t.Context(), ops, Options{Engine: "magic"})
	require.ErrorContains(t, err, `no engine "magic"`)
}

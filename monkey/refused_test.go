// SPDX-License-Identifier: Apache-2.0

package monkey

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/anishathalye/porcupine"
	sm "github.com/lni/dragonboat/v3/statemachine"
	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear"
	"github.com/drumbeat-raft/drumbeat/monkey/application"
)

// add is an operation on a number: it adds By, and with 0 only looks.
type add struct{ By int }

func (a add) reads() bool { return a.By == 0 }

var adding = Workload[add, int]{
	Next:   func(r *rand.Rand) add { return add{r.IntN(3)} },
	Encode: func(a add) Request { return Propose([]byte{byte(a.By)}) },
	Decode: func(add, Reply) (int, error) { return 0, nil },
}

var number = Model[int, add, int]{
	Init:  func() int { return 0 },
	Apply: func(n int, a add) (int, int) { return n + a.By, n + a.By },
}

// idle is a program that does nothing.
func idle(context.Context, Env) error { return nil }

// whole is a configuration with all that it needs.
func whole() Config {
	return Config{StateMachine: Regular(func(_, _ uint64) sm.IStateMachine { return nil }), Workload: adding, Model: number}
}

// What can't be tested is refused, with what to do, before anything is run.
func TestWhatIsMissingOrDoesNotFitIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"no state machine": {func(c *Config) { c.StateMachine = StateMachine{} }, "Config.StateMachine is missing"},
		"no factory":       {func(c *Config) { c.StateMachine = Regular(nil) }, "has no factory"},
		"another kind": {func(c *Config) {
			c.StateMachine = c.StateMachine.Upgraded(Concurrent(func(_, _ uint64) sm.IConcurrentStateMachine { return nil }))
		}, `is of the kind regular, and "concurrent" when it is upgraded`},
		"fewer state machines": {func(c *Config) {
			c.StateMachine = Several(map[string]StateMachine{"a": c.StateMachine, "b": c.StateMachine}).Upgraded(c.StateMachine)
		}, `is of the kind regular, and "" when it is upgraded`},
		"no workload":     {func(c *Config) { c.Workload = nil }, "Config.Workload is missing"},
		"half a workload": {func(c *Config) { c.Workload = Workload[add, int]{Next: adding.Next} }, "needs Next, and Encode and Decode or Connect"},
		"half a model":    {func(c *Config) { c.Model = Model[int, add, int]{} }, "needs Init and Apply"},
		"another model": {func(c *Config) { c.Model = Porcupine[string, int]{} },
			"Config.Model is of string and int, and the workload of monkey.add and int"},
		"another invariant": {func(c *Config) {
			c.Invariants = []Invariant{OverAnswers("sum", func(string, int) error { return nil })}
		},
			`the invariant "sum" is over string and int`},
		"an empty invariant": {func(c *Config) { c.Invariants = []Invariant{{}} }, "one that is empty"},
		"too few":            {func(c *Config) { c.Seeds = -1 }, "found a negative number"},
		"host and machine":   {func(c *Config) { c.Host = idle }, "has a StateMachine and a Host"},
		"host without client": {func(c *Config) { c.StateMachine, c.Host = StateMachine{}, idle },
			"needs Connect"},
	} {
		t.Run(name, func(t *testing.T) {
			config := whole()
			c.change(&config)
			_, err := config.application()
			require.ErrorContains(t, err, c.want)
		})
	}
	_, err := whole().application()
	require.NoError(t, err)
}

// A workload that is not what it has to be is told apart before anything is run.
func TestWorkloadsAreTriedFirst(t *testing.T) {
	require.NoError(t, adding.check(whole()))
	turn := 0
	fickle := adding
	fickle.Next = func(*rand.Rand) add { turn++; return add{turn} }
	require.ErrorContains(t, fickle.check(whole()), "of the same random numbers")
	type secret struct{ by int }
	hidden := Workload[secret, int]{Next: func(*rand.Rand) secret { return secret{7} }}
	require.ErrorContains(t, hidden.check(whole()), "Give its type exported fields")
	fickle = adding
	fickle.Encode = func(add) Request { turn++; return Propose([]byte{byte(turn)}) }
	require.ErrorContains(t, fickle.check(whole()), "It must depend on the operation alone")
}

// recorded is an operation of a history as it is recorded.
func recorded(m AnyModel, id uint64, a add, answer int, call, ret int64, outcome history.Outcome) history.Op {
	op := m.language().begin(a, a.reads())
	op.ID, op.Client, op.Call, op.Return, op.Outcome = id, int64(id), call, ret, outcome
	if outcome == history.OK {
		end, _ := m.language().end(a, answer)
		op.Observed = end.Observed
	}
	return op
}

// asPorcupine is the same specification as number, in porcupine's terms, with states
// of a type that == does not compare.
var asPorcupine = Porcupine[add, int]{Unknown: -1, Model: porcupine.Model{
	Init: func() any { return []int{0} },
	Step: func(s, in, out any) (bool, any) {
		n := s.([]int)[0] + in.(add).By
		return out.(int) == -1 || out.(int) == n, []int{n}
	},
	Equal: func(a, b any) bool { return a.([]int)[0] == b.([]int)[0] },
	Partition: func(all []porcupine.Operation) [][]porcupine.Operation {
		return [][]porcupine.Operation{all}
	},
}}

// inSlices is number with states that have to be compared by their content.
var inSlices = Model[[]int, add, int]{
	Init:  func() []int { return []int{0} },
	Apply: func(n []int, a add) ([]int, int) { return []int{n[0] + a.By}, n[0] + a.By },
}

func TestModelsJudgeHistories(t *testing.T) {
	for name, m := range map[string]AnyModel{"model": number, "states by content": inSlices, "porcupine": asPorcupine} {
		t.Run(name, func(t *testing.T) {
			ok := []history.Op{
				recorded(m, 1, add{1}, 1, 10, 20, history.OK),
				recorded(m, 2, add{2}, 0, 30, 0, history.Unknown),
				recorded(m, 3, add{0}, 1, 40, 50, history.OK),
				recorded(m, 4, add{0}, 3, 60, 70, history.OK), // the unknown one came late
				recorded(m, 5, add{5}, 0, 80, 90, history.Fail),
				recorded(m, 6, add{0}, 3, 100, 110, history.OK),
			}
			r, err := linear.Check(t.Context(), ok, linear.Options{Model: m.judge()})
			require.NoError(t, err)
			require.Equal(t, linear.OK, r.Verdict, r.Explanation)

			wrong := append(ok, recorded(m, 7, add{0}, 1, 120, 130, history.OK))
			r, err = linear.Check(t.Context(), wrong, linear.Options{Model: m.judge()})
			require.NoError(t, err)
			require.Equal(t, linear.Violation, r.Verdict)
		})
	}
}

// The model tells which answer was expected.
func TestAModelTellsWhatWasExpected(t *testing.T) {
	m := newSequential(number)
	core := []history.Op{
		recorded(number, 1, add{1}, 1, 10, 20, history.OK),
		recorded(number, 2, add{2}, 3, 30, 40, history.OK),
		recorded(number, 3, add{0}, 1, 50, 60, history.OK),
	}
	require.Equal(t, `By an order of the others that explains them, client 3's {"By":0} would have been answered 3.`, m.expected(core))
}

// A model that changes the states that it is given would make any verdict wrong.
func TestAModelThatChangesStatesIsCaught(t *testing.T) {
	impureModel := inSlices
	impureModel.Apply = func(n []int, a add) ([]int, int) { n[0] += a.By; return n, n[0] }
	m := impureModel.judge()
	require.PanicsWithValue(t, impure{`Model.Apply changed the state that it was given, when it did {"By":1}: it was []int{0}, and is []int{1}. Apply has to copy what it changes`}, func() {
		op := recorded(number, 1, add{1}, 1, 10, 20, history.OK)
		m.Step(m.Init(""), &op)
	})
}

// Plans of any bytes are faults that a scenario can have.
func TestPlansAreFaults(t *testing.T) {
	require.Nil(t, faultsOf(nil))
	require.Nil(t, faultsOf([]byte{1, 2, 3}))
	require.Equal(t, []string{"faults=[{kind: kill, target: nodehost-1, at: [0s], for: 1s}, {kind: partition, target: cluster-leader, at: [45s], for: 16s}]"},
		faultsOf([]byte{0, 0, 0, 0, 2, 3, 128, 128, 9}))
}

func FuzzPlansAreValid(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 2, 3, 128, 128})
	r := &runner{config: Config{Scenario: "quickstart"}.withFlags(), app: &application.Application{}, fuzzing: true}
	f.Fuzz(func(t *testing.T, plan []byte) {
		o := r.options(1)
		o.Change = nil
		o.Sets = append(o.Sets, faultsOf(plan)...)
		_, err := o.Load()
		require.NoError(t, err)
	})
}

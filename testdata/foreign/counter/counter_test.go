// SPDX-License-Identifier: Apache-2.0

package counter

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/drumbeat-raft/drumbeat/monkey"
)

// Op is a Command, or a read of the counter Read.
type Op struct {
	Command Command
	Read    string `json:",omitempty"`
}

// counters is how many there are. Each is judged by itself.
const counters = 15

func next(r *rand.Rand) Op {
	name := fmt.Sprint("c", r.IntN(counters))
	switch n := r.IntN(10); {
	case n == 0:
		return Op{Command: Command{Name: name, Limit: 1 + r.Uint64N(100)}}
	case n < 7:
		return Op{Command: Command{Name: name, Add: 1 + r.Uint64N(9)}}
	}
	return Op{Read: name}
}

// state is that of one counter.
type state struct{ value, limit uint64 }

func apply(s state, op Op) (state, uint64) {
	c := op.Command
	switch {
	case op.Read != "":
		return s, s.value
	case c.Limit > 0:
		s.limit = c.Limit
		return s, s.limit
	}
	if sum := s.value + c.Add; s.limit == 0 || sum <= s.limit {
		s.value = sum
	}
	return s, s.value
}

func TestCounters(t *testing.T) {
	monkey.Test(t, monkey.Config{
		Scenario:     "quickstart",
		StateMachine: monkey.Regular(New),
		Workload: monkey.Workload[Op, uint64]{
			Next: next,
			Encode: func(op Op) monkey.Request {
				if op.Read != "" {
					return monkey.Query(op.Read)
				}
				data, _ := json.Marshal(op.Command)
				return monkey.Propose(data)
			},
			Decode: func(op Op, reply monkey.Reply) (uint64, error) {
				if op.Read != "" {
					return reply.Answer.(uint64), reply.Err
				}
				return reply.Result.Value, nil
			},
		},
		Model: monkey.Model[state, Op, uint64]{
			Init:      func() state { return state{} },
			Apply:     apply,
			Partition: func(op Op) string { return op.Command.Name + op.Read },
		},
		Seeds: 3,
	})
}

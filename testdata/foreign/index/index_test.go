// SPDX-License-Identifier: Apache-2.0

package index

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/anishathalye/porcupine"

	"github.com/drumbeat-raft/drumbeat/monkey"
)

// Op is a command, or a range.
type Op struct {
	Command Command
	Range   Range
}

func (op Op) reads() bool { return op.Range.Limit > 0 }

// Answer is the size of the index, or the pairs of a range.
type Answer struct {
	Size  uint64
	Pairs []Pair
	Open  bool // nothing is known of the answer
}

func next(r *rand.Rand) Op {
	key := func() string { return fmt.Sprint("k", r.IntN(6)) }
	switch n := r.IntN(10); {
	case n < 4:
		return Op{Range: Range{key(), 1 + r.IntN(4)}}
	case n == 4:
		return Op{Command: Command{Key: key()}}
	}
	return Op{Command: Command{key(), fmt.Sprint("v", r.IntN(100))}}
}

// model is for porcupine.
var model = porcupine.Model{
	Init: func() any { return map[string]string{} },
	Step: func(s, input, output any) (bool, any) {
		now, op, answer := s.(map[string]string), input.(Op), output.(Answer)
		if op.reads() {
			var pairs []Pair
			for _, key := range slices.Sorted(maps.Keys(now)) {
				if key >= op.Range.From && len(pairs) < op.Range.Limit {
					pairs = append(pairs, Pair{key, now[key]})
				}
			}
			return slices.Equal(pairs, answer.Pairs), now
		}
		now = maps.Clone(now)
		if now[op.Command.Key] = op.Command.Value; op.Command.Value == "" {
			delete(now, op.Command.Key)
		}
		return answer.Open || answer.Size == uint64(len(now)), now
	},
	Equal: func(a, b any) bool { return maps.Equal(a.(map[string]string), b.(map[string]string)) },
}

const scenario = `
name: index-without-power
description: Hosts of an index on disk lose their power again and again.
duration: 4m
clusters: {count: 4, snapshot_entries: 40, compaction_overhead: 5}
workload: {clients: 24, rate: 20}
faults:
  - {kind: power-loss, target: nodehost, every: 20s, for: 2s..10s, at_least: 3}
  - {kind: kill, target: nodehost, every: 60s, for: 2s..10s}
`

func TestTheIndexSurvivesPowerLosses(t *testing.T) {
	monkey.Test(t, monkey.Config{
		Scenario:     scenario,
		StateMachine: monkey.OnDisk(New),
		Workload: monkey.Workload[Op, Answer]{
			Next: next,
			Encode: func(op Op) monkey.Request {
				if op.reads() {
					return monkey.Query(op.Range)
				}
				data, _ := json.Marshal(op.Command)
				return monkey.Propose(data)
			},
			Decode: func(op Op, reply monkey.Reply) (Answer, error) {
				if op.reads() {
					return Answer{Pairs: reply.Answer.([]Pair)}, reply.Err
				}
				return Answer{Size: reply.Result.Value}, nil
			},
		},
		Model: monkey.Porcupine[Op, Answer]{Model: model, Unknown: Answer{Open: true}},
		Digest: func(machine any) string {
			return fmt.Sprint(machine.(*Index).values)
		},
		Seeds: 3,
	})
}

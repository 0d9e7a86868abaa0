// SPDX-License-Identifier: Apache-2.0

package index

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
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

// table is the prefix of the keys that an operation is about. It works on no other.
func (op Op) table() string {
	if op.reads() {
		return op.Range.Prefix
	}
	table, _, _ := strings.Cut(op.Command.Key, "/")
	return table + "/"
}

// Answer is whether the key of a command was there, or the pairs of a range.
type Answer struct {
	There bool
	Pairs []Pair
	Open  bool // nothing is known of the answer
}

// tables is how many there are. Each is judged by itself, and has to be small: all
// orders of its writes of unknown outcome are tried.
const tables = 40

func next(r *rand.Rand) Op {
	table := fmt.Sprintf("t%d/", r.IntN(tables))
	key := fmt.Sprint(table, "k", r.IntN(4))
	switch n := r.IntN(10); {
	case n < 4:
		return Op{Range: Range{table, key, 1 + r.IntN(4)}}
	case n == 4:
		return Op{Command: Command{Key: key}}
	}
	return Op{Command: Command{key, fmt.Sprint("v", r.IntN(100))}}
}

// model is for porcupine: of one table.
var model = porcupine.Model{
	Partition: func(all []porcupine.Operation) [][]porcupine.Operation {
		parts := map[string][]porcupine.Operation{}
		for _, x := range all {
			table := x.Input.(Op).table()
			parts[table] = append(parts[table], x)
		}
		var out [][]porcupine.Operation
		for _, table := range slices.Sorted(maps.Keys(parts)) {
			out = append(out, parts[table])
		}
		return out
	},
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
		_, there := now[op.Command.Key]
		now = maps.Clone(now)
		if now[op.Command.Key] = op.Command.Value; op.Command.Value == "" {
			delete(now, op.Command.Key)
		}
		return answer.Open || answer.There == there, now
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
				return Answer{There: reply.Result.Value == 1}, nil
			},
		},
		Model: monkey.Porcupine[Op, Answer]{Model: model, Unknown: Answer{Open: true}},
		Digest: func(machine any) string {
			values := machine.(*Index).values
			return fmt.Sprintf("%d keys, SHA-256 %x", len(values), sha256.Sum256([]byte(fmt.Sprint(values))))
		},
		Seeds: 3,
	})
}

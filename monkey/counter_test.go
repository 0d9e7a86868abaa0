// SPDX-License-Identifier: Apache-2.0

package monkey_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	sm "github.com/lni/dragonboat/v3/statemachine"

	"github.com/drumbeat-raft/drumbeat/monkey"
)

// counters is a state machine of counters by name.
type counters struct{ of map[byte]uint64 }

func newCounters(_, _ uint64) sm.IStateMachine { return &counters{of: map[byte]uint64{}} }

func (c *counters) Update(command []byte) (sm.Result, error) {
	c.of[command[0]] += uint64(command[1])
	return sm.Result{Value: c.of[command[0]]}, nil
}

func (c *counters) Lookup(query any) (any, error) { return c.of[query.(byte)], nil }

func (c *counters) SaveSnapshot(w io.Writer, _ sm.ISnapshotFileCollection, _ <-chan struct{}) error {
	for name := range byte(names) {
		if err := binary.Write(w, binary.BigEndian, c.of[name]); err != nil {
			return err
		}
	}
	return nil
}

func (c *counters) RecoverFromSnapshot(r io.Reader, _ []sm.SnapshotFile, _ <-chan struct{}) error {
	c.of = map[byte]uint64{}
	for name := range byte(names) {
		var n uint64
		if err := binary.Read(r, binary.BigEndian, &n); err != nil {
			return err
		}
		c.of[name] = n
	}
	return nil
}

func (c *counters) Close() error { return nil }

// names is how many counters there are: so many that each has some fifty operations,
// for those without an answer make the search for an order twice as long each.
const names = 12

// count is an operation on a counter: By is added; with 0 it is read.
type count struct{ Name, By byte }

// counting are the operations, and their answers: what the counter holds.
var counting = monkey.Workload[count, uint64]{
	Next: func(r *rand.Rand) count { return count{byte(r.IntN(names)), byte(r.IntN(4))} },
	Encode: func(c count) monkey.Request {
		if c.By == 0 {
			return monkey.Query(c.Name)
		}
		return monkey.Propose([]byte{c.Name, c.By})
	},
	Decode: func(c count, reply monkey.Reply) (uint64, error) {
		if c.By == 0 {
			return reply.Answer.(uint64), reply.Err
		}
		return reply.Result.Value, nil
	},
}

// sum is the specification of one counter.
var sum = monkey.Model[uint64, count, uint64]{
	Init:      func() uint64 { return 0 },
	Apply:     func(now uint64, c count) (uint64, uint64) { return now + uint64(c.By), now + uint64(c.By) },
	Partition: func(c count) string { return fmt.Sprint(c.Name) },
}

// ExampleTest is a whole test. The state machine is counters by name.
func ExampleTest() {
	_ = func(t *testing.T) { // func TestCounters(t *testing.T) {
		monkey.Test(t, monkey.Config{
			StateMachine: monkey.Regular(newCounters),
			Workload:     counting,
			Model:        sum,
		})
	}
}

// Several state machines may answer alike.
func TestCounters(t *testing.T) {
	monkey.Test(t, monkey.Config{
		StateMachine: monkey.Several(map[string]monkey.StateMachine{
			"one": monkey.Regular(newCounters), "two": monkey.Regular(newCounters),
		}),
		Workload: counting,
		Model:    sum,
		Seeds:    1,
	})
}

// FuzzCounters has seeds and faults drawn: go test -fuzz Counters ./monkey
func FuzzCounters(f *testing.F) {
	monkey.Fuzz(f, monkey.Config{StateMachine: monkey.Regular(newCounters), Workload: counting, Model: sum})
}

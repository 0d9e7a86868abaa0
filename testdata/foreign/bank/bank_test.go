// SPDX-License-Identifier: Apache-2.0

package bank_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"example.com/bank"

	"github.com/drumbeat-raft/drumbeat/monkey"
)

// Op is a transfer, or, without one, a look at all balances.
type Op struct {
	Transfer *bank.Transfer
}

// Answer is whether money was moved, or the balances.
type Answer struct {
	Moved    bool
	Balances map[string]int64
}

func next(r *rand.Rand) Op {
	if r.IntN(3) == 0 {
		return Op{}
	}
	any := func() string { return bank.Accounts[r.IntN(len(bank.Accounts))] }
	return Op{&bank.Transfer{From: any(), To: any(), Amount: 1 + r.Int64N(60)}}
}

func total(balances map[string]int64) error {
	sum := int64(0)
	for _, b := range balances {
		sum += b
	}
	if want := int64(len(bank.Accounts)) * bank.Opening; sum != want {
		return fmt.Errorf("there are %d, expected %d", sum, want)
	}
	return nil
}

func TestMoneyIsNeitherMadeNorLost(t *testing.T) {
	monkey.Test(t, monkey.Config{
		Scenario:     "testdata/scenario.yaml",
		StateMachine: monkey.Concurrent(bank.New),
		Workload: monkey.Workload[Op, Answer]{
			Next: next,
			Encode: func(op Op) monkey.Request {
				if op.Transfer == nil {
					return monkey.Query("all")
				}
				data, _ := json.Marshal(op.Transfer)
				return monkey.Propose(data)
			},
			Decode: func(op Op, reply monkey.Reply) (Answer, error) {
				if op.Transfer == nil {
					return Answer{Balances: reply.Answer.(map[string]int64)}, reply.Err
				}
				return Answer{Moved: reply.Result.Value == 1}, nil
			},
		},
		Invariants: []monkey.Invariant{
			monkey.OverAnswers("the sum is constant", func(_ Op, a Answer) error {
				if a.Balances == nil {
					return nil
				}
				return total(a.Balances)
			}),
			monkey.OverReplicas("the sum is constant", func(b *bank.Bank) error {
				balances, err := b.Lookup(nil)
				if err != nil {
					return err
				}
				return total(balances.(map[string]int64))
			}),
		},
		Seeds: 3,
	})
}

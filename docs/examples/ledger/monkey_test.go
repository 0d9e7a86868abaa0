package ledger

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/drumbeat-raft/drumbeat/monkey"
)

// Op is what a client asks for: a command, or what an account holds.
type Op struct {
	Family  int // whose accounts these are
	Command Command
	Account string
}

// families is how many there are. Money stays in a family, or comes from the bank.
const families = 20

// Answer is what it is answered.
type Answer struct {
	Value uint64
	Text  string
	Holds int64
}

// state is what a client may know of the ledger.
type state struct {
	accounts map[string]int64
	answers  map[string]string // by request
}

// apply does an operation as the ledger promises to.
func apply(s state, op Op) (state, Answer) {
	c := op.Command
	answer, there := s.answers[c.Request]
	switch {
	case op.Account != "":
		return s, Answer{Holds: s.accounts[op.Account]}
	case there:
		return s, Answer{Value: Repeated, Text: answer}
	case c.From != bank && s.accounts[c.From] < c.Amount:
		return s, Answer{Value: Refused, Text: c.From + " holds too little"}
	}
	s.accounts, s.answers = maps.Clone(s.accounts), maps.Clone(s.answers)
	s.accounts[c.From] -= c.Amount
	s.accounts[c.To] += c.Amount
	s.answers[c.Request] = fmt.Sprintf("%s holds %d", c.To, s.accounts[c.To])
	return s, Answer{Value: Done, Text: s.answers[c.Request]}
}

func TestLedgerUnderTheMonkey(t *testing.T) {
	monkey.Test(t, monkey.Config{
		StateMachine: monkey.Regular(New),
		Workload: monkey.Workload[Op, Answer]{
			Next: func(r *rand.Rand) Op {
				f := r.IntN(families)
				accounts := []string{bank, fmt.Sprint("ada", f), fmt.Sprint("bob", f)}
				if r.IntN(3) == 0 {
					return Op{Family: f, Account: accounts[1+r.IntN(2)]}
				}
				return Op{Family: f, Command: Command{
					Request: fmt.Sprintf("f%dr%d", f, r.IntN(15)), From: accounts[r.IntN(3)], To: accounts[1+r.IntN(2)], Amount: 1 + r.Int64N(100),
				}}
			},
			Encode: func(op Op) monkey.Request {
				if op.Account != "" {
					return monkey.Query(op.Account)
				}
				data, _ := json.Marshal(op.Command)
				return monkey.Propose(data)
			},
			Decode: func(op Op, reply monkey.Reply) (Answer, error) {
				if op.Account != "" {
					return Answer{Holds: reply.Answer.(int64)}, reply.Err
				}
				return Answer{Value: reply.Result.Value, Text: string(reply.Result.Data)}, nil
			},
		},
		Model: monkey.Model[state, Op, Answer]{
			Init:      func() state { return state{map[string]int64{}, map[string]string{}} },
			Apply:     apply,
			Partition: func(op Op) string { return fmt.Sprint(op.Family) },
		},
		Digest: func(m any) string { return fmt.Sprint(m.(*Ledger).accounts, m.(*Ledger).requests) },
	})
}

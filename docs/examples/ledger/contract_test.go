package ledger

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/drumbeat-raft/drumbeat/monkey/smtest"
)

func TestLedgerKeepsTheContract(t *testing.T) {
	account := func(r *rand.Rand) string { return []string{bank, "ada", "bob"}[r.IntN(3)] }
	smtest.Run(t, smtest.Regular(New), smtest.Config{
		Command: func(r *rand.Rand) []byte {
			c := Command{fmt.Sprint("r", r.IntN(20)), account(r), account(r), r.Int64N(100)}
			data, _ := json.Marshal(c)
			return data
		},
		Query:    func(r *rand.Rand) any { return account(r) },
		Describe: func(command []byte) string { return string(command) },
	})
}

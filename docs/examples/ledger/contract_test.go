package ledger

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/drumbeat-raft/drumbeat/monkey/smtest"
)

func TestLedgerKeepsTheContract(t *testing.T) {
	accounts := []string{bank, "ada", "bob"}
	smtest.Run(t, smtest.Regular(New), smtest.Config{
		Command: func(r *rand.Rand) []byte {
			data, _ := json.Marshal(Command{
				Request: fmt.Sprint("r", r.IntN(20)),
				From:    accounts[r.IntN(3)],
				To:      accounts[1+r.IntN(2)],
				Amount:  1 + r.Int64N(100),
			})
			return data
		},
		Query:    func(r *rand.Rand) any { return accounts[r.IntN(3)] },
		Describe: func(command []byte) string { return string(command) },
	})
}

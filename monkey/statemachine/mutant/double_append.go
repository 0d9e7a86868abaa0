// SPDX-License-Identifier: Apache-2.0

package mutant

import (
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
)

// doubleAppend carries out an append twice.
func doubleAppend(v victim) statemachine.Core {
	again := func(c kv.Command, a kv.Answer, value *kv.Maybe) (kv.Answer, *kv.Maybe) {
		twice := kv.Some(value.Text + c.Value.Text)
		return a, &twice
	}
	return &misapplied{Store: kv.New(), victim: v, concerns: whenOK(kv.Append), twist: again}
}

// SPDX-License-Identifier: Apache-2.0

package mutant

import (
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
)

// dirtyCAS stores the value of a cas that it says did not match.
func dirtyCAS(v victim) statemachine.Core {
	store := func(c kv.Command, a kv.Answer, _ *kv.Maybe) (kv.Answer, *kv.Maybe) { return a, &c.Value }
	return &misapplied{Store: kv.New(), victim: v, concerns: whenMismatch, twist: store}
}

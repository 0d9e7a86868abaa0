// SPDX-License-Identifier: Apache-2.0

package mutant

import (
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
)

// wrongResult answers ok to a cas that did not match. The state stays right,
// so that replicas agree.
func wrongResult(v victim) statemachine.Core {
	lie := func(_ kv.Command, a kv.Answer, _ *kv.Maybe) (kv.Answer, *kv.Maybe) {
		replaced := kv.State{Writer: a.Observed.Writer, Index: a.Observed.Index}
		return kv.Answer{Status: kv.OK, Observed: replaced}, nil
	}
	return &misapplied{Store: kv.New(), victim: v, concerns: whenMismatch, twist: lie}
}

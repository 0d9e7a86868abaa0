// SPDX-License-Identifier: Apache-2.0

package mutant

import (
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
)

// lostDelete answers a delete ok and the key keeps its value.
func lostDelete(v victim) statemachine.Core {
	return &misapplied{Store: kv.New(), victim: v, concerns: whenOK(kv.Delete), twist: forget}
}

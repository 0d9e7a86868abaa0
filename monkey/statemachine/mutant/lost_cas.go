// SPDX-License-Identifier: Apache-2.0

package mutant

import (
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
)

// lostCAS answers a cas ok and does not store its value.
func lostCAS(v victim) statemachine.Core {
	return &misapplied{Store: kv.New(), victim: v, concerns: whenOK(kv.CAS), twist: forget}
}

// SPDX-License-Identifier: Apache-2.0

package mutant

import (
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
)

// dropUpdate answers an update ok and forgets it.
func dropUpdate(v victim) statemachine.Core {
	anyOK := func(_ kv.Command, a kv.Answer) bool { return a.Status == kv.OK }
	return &misapplied{Store: kv.New(), victim: v, concerns: anyOK, twist: forget}
}

// SPDX-License-Identifier: Apache-2.0

package mutant

import (
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

func init() {
	register(scenarios.BugKind{
		Name:     "wrong-result",
		Doc:      "A cas that does not match is answered ok.",
		Occasion: "a cas that does not match",
		Every:    20,
		FoundBy:  []string{Linearizability},
	}, misapply(func(_ kv.Command, e effect) effect {
		if e.answer.Status == kv.Mismatch { // the state stays right, so that replicas agree
			replaced := kv.State{Writer: e.answer.Observed.Writer, Index: e.answer.Observed.Index}
			e.answer = kv.Answer{Status: kv.OK, Observed: replaced}
		}
		return e
	}))
}

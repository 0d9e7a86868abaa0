// SPDX-License-Identifier: Apache-2.0

package mutant

import (
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

func init() {
	register(scenarios.BugKind{
		Name:     "dirty-cas",
		Doc:      "A cas that is answered 'mismatch' stores its value all the same.",
		Occasion: "a cas that does not match",
		Every:    20,
		FoundBy:  []string{Digests, Divergence, Linearizability},
	}, misapply(func(c kv.Command, e effect) effect {
		if e.answer.Status == kv.Mismatch {
			e.value = &c.Value
		}
		return e
	}))
}

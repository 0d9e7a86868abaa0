// SPDX-License-Identifier: Apache-2.0

package mutant

import (
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

func init() {
	register(scenarios.BugKind{
		Name:     "double-append",
		Doc:      "An append is carried out twice.",
		Occasion: "an append of a text that is not empty",
		Every:    100,
		FoundBy:  []string{Digests, Divergence, Linearizability},
	}, misapply(func(c kv.Command, e effect) effect {
		if c.Op == kv.Append && e.answer.Status == kv.OK {
			twice := kv.Some(e.value.Text + c.Value.Text)
			e.value = &twice
		}
		return e
	}))
}

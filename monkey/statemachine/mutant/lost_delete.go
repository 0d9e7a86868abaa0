// SPDX-License-Identifier: Apache-2.0

package mutant

import (
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

func init() {
	register(scenarios.BugKind{
		Name:     "lost-delete",
		Doc:      "A delete is answered ok and the key keeps its value.",
		Occasion: "a delete",
		Every:    50,
		FoundBy:  []string{Digests, Divergence, Linearizability},
	}, misapply(forget(func(c kv.Command) bool { return c.Op == kv.Delete })))
}

// SPDX-License-Identifier: Apache-2.0

package mutant

import (
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

func init() {
	register(scenarios.BugKind{
		Name:     "lost-cas",
		Doc:      "A cas is answered ok and its value is not stored.",
		Occasion: "a cas that matches",
		Every:    50,
		FoundBy:  []string{Digests, Divergence, Linearizability},
	}, misapply(forget(func(c kv.Command) bool { return c.Op == kv.CAS })))
}

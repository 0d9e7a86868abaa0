// SPDX-License-Identifier: Apache-2.0

package mutant

import (
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

func init() {
	register(scenarios.BugKind{
		Name:     "drop-update",
		Doc:      "An update is answered ok and forgotten.",
		Occasion: "an update that takes effect",
		Every:    1000,
		FoundBy:  []string{Digests, Divergence, Linearizability},
	}, misapply(forget(func(kv.Command) bool { return true })))
}

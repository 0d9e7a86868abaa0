// SPDX-License-Identifier: Apache-2.0

package mutant

import "github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"

func init() {
	register(Kind{
		Name:     "drop-update",
		Doc:      "An update is answered ok and forgotten.",
		Occasion: "an update that takes effect",
		Every:    1000,
		FoundBy:  []string{Digests, Linearizability},
		newCore:  misapply(forget(func(kv.Command) bool { return true })),
	})
}

// SPDX-License-Identifier: Apache-2.0

package mutant

import (
	"strings"

	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

func init() {
	register(scenarios.BugKind{
		Name:     "upgrade-result",
		Doc:      "An append has another result in version 2 than in version 1: the text goes in front of what the key holds.",
		Occasion: "an append that version 2 carries out, to a key that holds another text",
		Every:    5,
		FoundBy:  []string{Digests, Divergence, Linearizability},
		Upgrade:  true,
	}, misapply(func(c kv.Command, e effect) effect {
		if c.Op == kv.Append && e.value != nil {
			turned := kv.Some(c.Value.Text + strings.TrimSuffix(e.value.Text, c.Value.Text))
			e.value = &turned
		}
		return e
	}))
}

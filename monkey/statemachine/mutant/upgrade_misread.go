// SPDX-License-Identifier: Apache-2.0

package mutant

import (
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

func init() {
	register(scenarios.BugKind{
		Name:     "upgrade-misread",
		Doc:      "Version 2 misreads a snapshot of version 1: it loses the value of the key that was written last.",
		Occasion: "a snapshot of version 1 that version 2 reads, in which some key has a value",
		Every:    1,
		FoundBy:  []string{Digests, Divergence, Linearizability},
		Upgrade:  true,
	}, func(t trigger) statemachine.Core { return &misreading{t.store(), t} })
}

// misreading is a core of version 2 that reads snapshots of version 1 wrongly.
type misreading struct {
	*kv.Store
	trigger
}

// Restore implements statemachine.Core.
func (m *misreading) Restore(image *kv.Image) {
	newest := ""
	for _, key := range image.Keys() {
		if image.Get(key).Value.Present && (newest == "" || image.Get(key).Index > image.Get(newest).Index) {
			newest = key
		}
	}
	if newest != "" && image.Version() == kv.V1 && m.strikes(image.Digest().Updates) {
		image = image.WithoutValue(newest)
	}
	m.Store.Restore(image)
}

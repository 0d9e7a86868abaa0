// SPDX-License-Identifier: Apache-2.0

package mutant

import (
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

func init() {
	register(scenarios.BugKind{
		Name:     "forget-snapshot",
		Doc:      "A snapshot lacks the key that was written last.",
		Occasion: "a snapshot that is saved, whether or not it is ever restored",
		Every:    1,
		FoundBy:  []string{Digests, Divergence, Linearizability},
	}, func(t trigger) statemachine.Core { return &forgetful{t.store(), t} })
}

// forgetful is a core whose snapshots lack the key that was written last.
type forgetful struct {
	*kv.Store
	trigger
}

// Image implements statemachine.Core.
func (f *forgetful) Image() *kv.Image {
	image, newest := f.Store.Image(), ""
	for _, key := range image.Keys() {
		if newest == "" || image.Get(key).Index > image.Get(newest).Index {
			newest = key
		}
	}
	if newest == "" || !f.strikes(image.Digest().Updates) {
		return image
	}
	return image.Without(newest)
}

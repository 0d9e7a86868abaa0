// SPDX-License-Identifier: Apache-2.0

package mutant

import (
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
)

// forgetful is a core whose snapshots lack the key that was written last.
type forgetful struct {
	*kv.Store
	victim
}

func forgetSnapshot(v victim) statemachine.Core { return &forgetful{Store: kv.New(), victim: v} }

// Image implements statemachine.Core. An occasion is a snapshot.
func (f *forgetful) Image() *kv.Image {
	image := f.Store.Image()
	if !f.strikes(image.Digest().Updates) {
		return image
	}
	newest := ""
	for _, key := range image.Keys() {
		if newest == "" || image.Get(key).Index > image.Get(newest).Index {
			newest = key
		}
	}
	return image.Without(newest)
}

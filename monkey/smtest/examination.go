// SPDX-License-Identifier: Apache-2.0

package smtest

import sm "github.com/lni/dragonboat/v3/statemachine"

// examination comes before all other checks: it finds out how states can be
// compared.
var examination = check{
	name:  "calls",
	kinds: allKinds,
	contract: "No call panics, whatever the command or the query is. Update, PrepareSnapshot and SaveSnapshot return an error only for what is beyond repair, " +
		"such as a broken disk: Dragonboat ends the process then, on every replica that comes to this entry and at each new start. " +
		"Update returns the entries that it was given, in their order, each with its Result.",
	advice: "Answer a command that is malformed or not allowed with a Result that says so, and leave the state as it is. Check lengths before slicing.",
	run: func(t *trial) {
		k, r := t.kit, t.start("a replica")
		if hash, ok := r.m.user().(sm.IHash); ok {
			k.hasHash = r.call("GetHash", func() error {
				_, err := hash.GetHash()
				return err
			}) != sm.ErrNotImplemented
		}
		if k.hasHash && k.digests == bySnapshot {
			k.digests = byHash
		}
		r.apply(len(t.log))
		r.state()
		first := r.save().text()
		for range repeatedSaves {
			if again := r.save().text(); k.digests == bySnapshot && again != first {
				k.digests = byQueries
			}
		}
	},
}

const (
	// examined is how many logs are used to find out how states can be compared.
	examined = 20
	// repeatedSaves is how often the same state is saved once more, to see
	// whether its bytes are the same.
	repeatedSaves = 3
)

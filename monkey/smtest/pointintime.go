// SPDX-License-Identifier: Apache-2.0

package smtest

var pointInTime = check{
	name:  "point in time",
	kinds: concurrent | onDisk,
	contract: "SaveSnapshot saves the state as it was when PrepareSnapshot was called, and never a later one: Update goes on in between. " +
		"Dragonboat files the snapshot under the index of that moment, and a replica that recovers from it applies what came after once more.",
	advice: "Let PrepareSnapshot take a copy, an immutable version or a snapshot of the database below, and let SaveSnapshot write that and nothing else.",
	run: func(t *trial) {
		r := t.start("the replica that saves")
		for _, at := range t.points(placesPrepared) {
			r.apply(max(at, r.at)) // the one before may have gone beyond
			p := r.prepare()
			to := r.at + t.plan.IntN(len(t.log)-r.at+1)
			r.apply(to)
			saved := r.savePrepared(p)
			fresh := t.start("a replica that recovered from it")
			t.forgetSteps()
			t.step("PrepareSnapshot is called %s", place(p.at))
			if to > p.at {
				t.step("Update applies %s", t.entries(p.at, to))
			}
			t.step("SaveSnapshot is called")
			fresh.restore(saved, readSizes{})
			t.sameState(fresh)
			fresh.discard()
		}
	},
}

// placesPrepared bounds how many snapshots of one log are prepared.
const placesPrepared = 4

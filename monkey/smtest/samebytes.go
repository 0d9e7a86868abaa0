// SPDX-License-Identifier: Apache-2.0

package smtest

var sameBytes = check{
	name:     "same bytes",
	kinds:    onDisk,
	contract: "SaveSnapshot of an on-disk state machine is deterministic: for the same state it writes the same bytes, however often it is called.",
	advice:   "Write the state in a fixed order: by sorted keys, not in the order of a map. Leave times and random numbers out.",
	run: func(t *trial) {
		r := t.start("a replica")
		for _, at := range t.points(2) {
			r.apply(at)
			first := r.save().text()
			for range 3 {
				if again := r.save().text(); again != first {
					a, b := excerpts(first, again)
					t.fail("Two snapshots of the same state differ, both saved %s.\n%s\n%s", place(at), a, b)
				}
			}
		}
	},
}

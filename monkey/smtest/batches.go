// SPDX-License-Identifier: Apache-2.0

package smtest

var batches = check{
	name:  "batches",
	kinds: concurrent | onDisk,
	contract: "How the log is cut into batches doesn't show: not in the state, and not in the Result of any entry. " +
		"Update gets as many entries at once as there happen to be, which differs between replicas, and between a run and the replay after a restart.",
	advice: "Apply the entries of a batch one after the other, each on the state that the one before left, and set Result in each of them. " +
		"What is written to disk once a batch must be the sum of that.",
	run: func(t *trial) {
		r := t.start("a replica that applies batches")
		for r.at < len(t.log) {
			from := r.at
			to := from + 1 + t.plan.IntN(len(t.log)-from)
			t.step("%s in one batch", t.entries(from, to))
			t.sameResults(r.name, from, r.apply(to))
			t.sameState(r)
		}
	},
}

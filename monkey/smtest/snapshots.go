// SPDX-License-Identifier: Apache-2.0

package smtest

var snapshots = check{
	name:  "snapshots",
	kinds: allKinds,
	contract: "A snapshot holds the complete state: a replica that recovers from it answers every later entry and every query as the one that saved it does. " +
		"RecoverFromSnapshot replaces whatever state there was, for it is also called on a replica that has fallen behind. " +
		"It gets an io.Reader, which may return fewer bytes than it is asked for.",
	advice: "Compare the fields that Update reads with those that SaveSnapshot writes and RecoverFromSnapshot reads: tables for duplicates, counters, " +
		"sequence numbers and what was added last are forgotten most often. Start RecoverFromSnapshot from an empty state. Read with io.ReadFull or a decoder, not with a single Read.",
	run: func(t *trial) {
		places := t.points(placesSaved)
		source := t.start("the replica that saves")
		for _, at := range places {
			source.apply(at)
			saved := source.save()
			fresh := t.recovered("a new replica that recovered from the snapshot", saved, 0)
			again := fresh.save()
			t.finish(fresh)
			if at > 0 {
				t.finish(t.recovered("a replica that had fallen behind and recovered from the snapshot", saved, t.plan.IntN(at)))
			}
			t.finish(t.recovered("a new replica that recovered from a snapshot saved by one that had recovered itself", again, 0))
		}
	},
}

// placesSaved bounds at how many places of one log snapshots are saved.
const placesSaved = 8

// recovered makes a replica that applied the log up to a place before it
// recovered from a snapshot.
func (t *trial) recovered(name string, s snapshot, behind int) *replica {
	r := t.start(name)
	r.apply(behind)
	reads := drawReadSizes(t.plan)
	t.forgetSteps()
	t.step("a snapshot is saved %s", place(s.at))
	if behind > 0 {
		t.step("another replica applies %s", t.entries(0, behind))
	}
	t.step("%s, with %v", name, reads)
	r.restore(s, reads)
	t.sameState(r)
	return r
}

// finish applies the rest of the log, and compares.
func (t *trial) finish(r *replica) {
	from := r.at
	for i := from; i < len(t.log); i++ {
		t.step("it applies entry %d", i+1)
		t.sameResults(r.name, i, r.apply(i+1))
	}
	t.sameState(r)
	r.discard()
}

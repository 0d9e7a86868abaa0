// SPDX-License-Identifier: Apache-2.0

package invariant

var _ = define(Check{
	Key:     "snapshots",
	Name:    "snapshots fit the log",
	Doc:     "A snapshot has the term and the membership of its index, a node takes over none that is older than what it knows to be committed, and the log is kept from the newest snapshot on, by what nodes save.",
	Needs:   []Need{needRaftSafety},
	Applies: replicated,
}, judgeSnapshots)

func judgeSnapshots(j *judgement, f *Facts, _ *noSettings) string {
	breaches(f, OldSnapshot, func(b Breach) {
		j.violation("cluster %d: node %d, in term %d, took over a snapshot of index %d, though it knew its log to be committed up to index %d; at %s",
			b.Cluster, b.Node, b.Term, b.Index, b.LastIndex, seconds(b.At))
	})
	breaches(f, SnapshotDiffers, func(b Breach) {
		if b.LastTerm != 0 {
			j.violation("cluster %d: the snapshot of node %d at index %d is of term %d, the entry there of term %d; at %s",
				b.Cluster, b.Node, b.Index, b.EntryTerm, b.LastTerm, seconds(b.At))
			return
		}
		j.violation("cluster %d: the snapshot of node %d at index %d has the voters %v and other members; by the changes in the log up to index %d the voters are %v, and not all of it agrees; at %s",
			b.Cluster, b.Node, b.Index, b.Others, b.LastIndex, b.Voters, seconds(b.At))
	})
	breaches(f, CompactedTooFar, func(b Breach) {
		j.violation("cluster %d: node %d dropped its log up to index %d, its newest snapshot is of index %d; at %s",
			b.Cluster, b.Node, b.Index, b.LastIndex, seconds(b.At))
	})
	return "snapshots fit the log that they stand for"
}

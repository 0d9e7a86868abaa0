// SPDX-License-Identifier: Apache-2.0

package invariant

import "fmt"

var _ = define(Check{
	Key:     "saved",
	Name:    "saved first",
	Doc:     "What a node tells others, it has saved before: its term, its vote, its log. Its term and what it knows to be committed never go back. When it starts again, it finds all of it as it was: term, vote and commitment, the newest snapshot, each entry with its term and content, and none that others took the place of.",
	Needs:   []Need{needRaftSafety},
	Applies: replicated,
}, judgeSaved)

func judgeSaved(j *judgement, f *Facts, _ *noSettings) string {
	breaches(f, SaidUnsaved, func(b Breach) {
		what := fmt.Sprintf("it has the log up to index %d, of which %d was the last that it had saved", b.Index, b.LastIndex)
		switch {
		case b.Index == 0 && len(b.Others) == 0:
			what = fmt.Sprintf("it is in that term, while term %d was the last that it had saved", b.LastTerm)
		case b.Index == 0:
			what = fmt.Sprintf("it votes for node %d, which it had not saved", b.Others[0])
		}
		j.violation("cluster %d: node %d said in term %d that %s; at %s", b.Cluster, b.Node, b.Term, what, seconds(b.At))
	})
	breaches(f, WentBack, func(b Breach) {
		j.violation("cluster %d: node %d saved term %d and the commitment of index %d after term %d and index %d: neither goes back; at %s",
			b.Cluster, b.Node, b.Term, b.Index, b.LastTerm, b.LastIndex, seconds(b.At))
	})
	breaches(f, Forgotten, func(b Breach) {
		j.violation("cluster %d: node %d started on host %s with term %d, a vote for node %d and a log up to index %d; it had saved term %d, a vote for node %d and index %d; at %s",
			b.Cluster, b.Node, b.Host, b.Term, b.Others[0], b.Index, b.LastTerm, b.Others[1], b.LastIndex, seconds(b.At))
	})
	breaches(f, NotReplaced, func(b Breach) {
		j.violation("cluster %d: node %d started on host %s with the entry of index %d and term %d, which it had replaced by one of term %d; at %s",
			b.Cluster, b.Node, b.Host, b.Index, b.EntryTerm, b.LastTerm, seconds(b.At))
	})
	breaches(f, ForgottenCommit, func(b Breach) {
		j.violation("cluster %d: node %d started on host %s with the commitment of index %d; it had saved that of index %d; at %s",
			b.Cluster, b.Node, b.Host, b.Index, b.LastIndex, seconds(b.At))
	})
	breaches(f, ForgottenSnapshot, func(b Breach) {
		j.violation("cluster %d: node %d started on host %s with %s; it had saved the one of index %d and term %d, which is gone or another one; at %s",
			b.Cluster, b.Node, b.Host, snapshotName(b), b.LastIndex, b.LastTerm, seconds(b.At))
	})
	breaches(f, EntryChanged, func(b Breach) {
		j.violation("cluster %d: node %d started on host %s with an entry of index %d and term %d that is not the one of term %d that it had saved; at %s",
			b.Cluster, b.Node, b.Host, b.Index, b.EntryTerm, b.LastTerm, seconds(b.At))
	})
	return fmt.Sprintf("what nodes said was saved; %d starts of nodes found all of it", f.RaftSafety.Starts)
}

// snapshotName names the snapshot that a node found.
func snapshotName(b Breach) string {
	if b.Index == 0 {
		return "no snapshot"
	}
	return fmt.Sprintf("a snapshot of index %d and term %d", b.Index, b.EntryTerm)
}

// SPDX-License-Identifier: Apache-2.0

package invariant

import "fmt"

var _ = define(Check{
	Key:     "commits",
	Name:    "commits stay",
	Doc:     "What is committed at an index of the log is of one term, for all nodes and for good (log matching and leader completeness of Raft), a leader commits no entry of an earlier term by itself, and a follower only what is known to match its leader's log, by the messages that nodes exchange and what they hand to their state machines.",
	Needs:   []Need{needRaftSafety},
	Applies: replicated,
}, judgeCommits)

func judgeCommits(j *judgement, f *Facts, _ *noSettings) string {
	breaches(f, TwoCommits, func(b Breach) {
		j.violation("cluster %d: node %d, in term %d, has an entry of term %d committed at index %d, where one of term %d had been; at %s",
			b.Cluster, b.Node, b.Term, b.EntryTerm, b.Index, b.LastTerm, seconds(b.At))
	})
	breaches(f, EarlierTermCommit, func(b Breach) {
		j.violation("cluster %d: node %d, leader of term %d, committed the entry of term %d at index %d before one of its own term; at %s",
			b.Cluster, b.Node, b.Term, b.EntryTerm, b.Index, seconds(b.At))
	})
	breaches(f, UnmatchedCommit, func(b Breach) {
		j.violation("cluster %d: node %d, in term %d, takes its log for committed up to index %d, which has an entry of term %d, though a leader told it so up to index %d only; at %s",
			b.Cluster, b.Node, b.Term, b.Index, b.EntryTerm, b.LastIndex, seconds(b.At))
	})
	breaches(f, UnmatchedHeartbeat, func(b Breach) {
		j.violation("cluster %d: node %d, leader of term %d, told node %d in a heartbeat that its log is committed up to index %d, though that node had answered in this term that it has the leader's log up to index %d; at %s",
			b.Cluster, b.Node, b.Term, b.Others[0], b.Index, b.LastIndex, seconds(b.At))
	})
	if f.RaftSafety.Commits == 0 {
		j.inconclusive("no committed entry was seen")
	}
	return fmt.Sprintf("%d entries were committed, each of one term", f.RaftSafety.Commits)
}

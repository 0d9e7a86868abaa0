// SPDX-License-Identifier: Apache-2.0

package invariant

import "fmt"

var _ = define(Check{
	Key:     "commits",
	Name:    "commits stay",
	Doc:     "What is committed at an index of the log is of one term, for all nodes and for good (log matching and leader completeness of Raft), and a leader commits no entry of an earlier term by itself, by the messages that nodes exchange and what they hand to their state machines.",
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
	if f.RaftSafety.Commits == 0 {
		j.inconclusive("no committed entry was seen")
	}
	return fmt.Sprintf("%d entries were committed, each of one term", f.RaftSafety.Commits)
}

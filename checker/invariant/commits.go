// SPDX-License-Identifier: Apache-2.0

package invariant

import "fmt"

var _ = define(Check{
	Key:     "commits",
	Name:    "commits stay",
	Doc:     "What a leader has committed at an index of the log is of one term, for all leaders and for good (log matching and leader completeness of Raft), by the messages that nodes exchange.",
	Needs:   []Need{needRaftSafety},
	Applies: replicated,
}, judgeCommits)

func judgeCommits(j *judgement, f *Facts, _ *noSettings) string {
	breaches(f, TwoCommits, func(b Breach) {
		j.violation("cluster %d: node %d, leader of term %d, has an entry of term %d committed at index %d, where one of term %d had been; at %s",
			b.Cluster, b.Node, b.Term, b.EntryTerm, b.Index, b.LastTerm, seconds(b.At))
	})
	if f.RaftSafety.Commits == 0 {
		j.inconclusive("no committed entry was seen")
	}
	return fmt.Sprintf("%d entries were committed, each of one term", f.RaftSafety.Commits)
}

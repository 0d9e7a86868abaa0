// SPDX-License-Identifier: Apache-2.0

package invariant

import "fmt"

var _ = define(Check{
	Key:     "votes",
	Name:    "one vote a term",
	Doc:     "A node votes for one candidate in a term, whatever happens to its host (election safety of Raft), by the messages that nodes exchange.",
	Needs:   []Need{needRaftSafety},
	Applies: replicated,
}, judgeVotes)

func judgeVotes(j *judgement, f *Facts, _ *noSettings) string {
	breaches(f, TwoVotes, func(b Breach) {
		j.violation("cluster %d: node %d voted for node %d and for node %d in term %d, the second time at %s",
			b.Cluster, b.Node, b.Others[0], b.Others[1], b.Term, seconds(b.At))
	})
	if f.RaftSafety.Votes == 0 {
		j.inconclusive("no vote was seen")
	}
	return fmt.Sprintf("%d votes were given, none of them twice in a term", f.RaftSafety.Votes)
}

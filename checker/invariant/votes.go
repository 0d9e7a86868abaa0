// SPDX-License-Identifier: Apache-2.0

package invariant

import "fmt"

var _ = define(Check{
	Key:     "votes",
	Name:    "one vote a term",
	Doc:     "A node votes for one candidate in a term, whatever happens to its host (election safety of Raft), and for none whose log is older than its own, by the messages that nodes exchange and what they save.",
	Needs:   []Need{needRaftSafety},
	Applies: replicated,
}, judgeVotes)

func judgeVotes(j *judgement, f *Facts, _ *noSettings) string {
	breaches(f, TwoVotes, func(b Breach) {
		j.violation("cluster %d: node %d voted for node %d and for node %d in term %d, the second time at %s",
			b.Cluster, b.Node, b.Others[0], b.Others[1], b.Term, seconds(b.At))
	})
	breaches(f, VoteChanged, func(b Breach) {
		j.violation("cluster %d: node %d, which had saved a vote for node %d in term %d, has %s in that term; at %s",
			b.Cluster, b.Node, b.Others[0], b.Term, voteFor(b.Others[1]), seconds(b.At))
	})
	breaches(f, OlderLogVote, func(b Breach) {
		j.violation("cluster %d: node %d, whose log ends with index %d of term %d, voted in term %d for node %d, whose log ends with index %d of term %d; at %s",
			b.Cluster, b.Node, b.LastIndex, b.LastTerm, b.Term, b.Others[0], b.Index, b.EntryTerm, seconds(b.At))
	})
	if f.RaftSafety.Votes == 0 {
		j.inconclusive("no vote was seen")
	}
	return fmt.Sprintf("%d votes were given, none of them twice in a term", f.RaftSafety.Votes)
}

func voteFor(node uint64) string {
	if node == 0 {
		return "no vote"
	}
	return fmt.Sprintf("one for node %d", node)
}

// SPDX-License-Identifier: Apache-2.0

package invariant

import "fmt"

var _ = define(Check{
	Key:     "quorums",
	Name:    "majorities",
	Doc:     "Leaders are elected, entries committed and linearizable reads confirmed by a majority of the voters, in the leader's own term, by the messages that nodes exchange and the logs that they save: whether or not anything is lost by it.",
	Needs:   []Need{needRaftSafety},
	Applies: replicated,
}, judgeQuorums)

func judgeQuorums(j *judgement, f *Facts, _ *noSettings) string {
	breaches(f, MinorityLeader, func(b Breach) {
		j.violation("cluster %d: node %d leads in term %d with the votes of nodes %v, which are no majority of the voters %v; seen at %s",
			b.Cluster, b.Node, b.Term, b.Others, b.Voters, seconds(b.At))
	})
	breaches(f, MinorityCommit, func(b Breach) {
		j.violation("cluster %d: node %d, in term %d, takes the entry of index %d and term %d for committed, which nodes %v have saved, no majority of the voters %v; seen at %s",
			b.Cluster, b.Node, b.Term, b.Index, b.EntryTerm, b.Others, b.Voters, seconds(b.At))
	})
	breaches(f, UnansweredCommit, func(b Breach) {
		j.violation("cluster %d: node %d, leader of term %d, takes the entry of index %d for committed, which nodes %v told it in that term to have, no majority of the voters %v; seen at %s",
			b.Cluster, b.Node, b.Term, b.Index, b.Others, b.Voters, seconds(b.At))
	})
	breaches(f, MinorityRead, func(b Breach) {
		j.violation("cluster %d: node %d, leader of term %d, served a linearizable read that nodes %v confirmed, no majority of the voters %v; at %s",
			b.Cluster, b.Node, b.Term, b.Others, b.Voters, seconds(b.At))
	})
	s := f.RaftSafety
	if s.Leaders == 0 && s.Commits == 0 {
		j.inconclusive("neither the election of a leader nor a committed entry was seen")
	}
	return fmt.Sprintf("%d leaders, %d committed entries and %d reads had majorities", s.Leaders, s.Commits, s.Reads)
}

// SPDX-License-Identifier: Apache-2.0

package invariant

import "fmt"

var _ = define(Check{
	Key:     "changes",
	Name:    "membership changes in order",
	Doc:     "A leader changes the membership one member at a time, a candidate has applied the changes that it knows to be committed, who is removed leads no more, and who is promoted has caught up, by what nodes save and the messages that they send.",
	Needs:   []Need{needRaftSafety},
	Applies: replicated,
}, judgeChanges)

func judgeChanges(j *judgement, f *Facts, _ *noSettings) string {
	breaches(f, TwoChanges, func(b Breach) {
		j.violation("cluster %d: node %d, leader of term %d, added a membership change at index %d before the one at index %d was committed; at %s",
			b.Cluster, b.Node, b.Term, b.Index, b.LastIndex, seconds(b.At))
	})
	breaches(f, EarlyCandidacy, func(b Breach) {
		j.violation("cluster %d: node %d called an election in term %d before it had applied the membership change at index %d, which it knew to be committed; it had applied its log up to index %d; at %s",
			b.Cluster, b.Node, b.Term, b.Index, b.LastIndex, seconds(b.At))
	})
	breaches(f, RemovedLeads, func(b Breach) {
		j.violation("cluster %d: node %d sends heartbeats as leader of term %d though it has applied the change at index %d, since which the voters are %v; at %s",
			b.Cluster, b.Node, b.Term, b.Index, b.Voters, seconds(b.At))
	})
	breaches(f, PromotedBehind, func(b Breach) {
		j.violation("cluster %d: node %d was made a voter at index %d with a log that ends at index %d, before it had caught up with its own addition at index %d; at %s",
			b.Cluster, b.Node, b.Index, b.LastIndex, b.LastTerm, seconds(b.At))
	})
	return fmt.Sprintf("%d leaders changed memberships in order", f.RaftSafety.Leaders)
}

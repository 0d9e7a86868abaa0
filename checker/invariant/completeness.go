// SPDX-License-Identifier: Apache-2.0

package invariant

import "fmt"

var _ = define(Check{
	Key:     "completeness",
	Name:    "complete leaders",
	Doc:     "Who is elected has every entry that was committed in an earlier term (leader completeness of Raft), by the messages that nodes exchange: whether or not anybody notices that one is missing.",
	Needs:   []Need{needRaftSafety},
	Applies: replicated,
}, judgeCompleteness)

func judgeCompleteness(j *judgement, f *Facts, _ *noSettings) string {
	breaches(f, IncompleteLeader, func(b Breach) {
		j.violation("cluster %d: node %d leads in term %d without the entry of index %d and term %d, which leader %d had committed; the last one of its log was of index %d and term %d; seen at %s",
			b.Cluster, b.Node, b.Term, b.Index, b.EntryTerm, b.Others[0], b.LastIndex, b.LastTerm, seconds(b.At))
	})
	if f.RaftSafety.Leaders == 0 {
		j.inconclusive("no election of a leader was seen")
	}
	return fmt.Sprintf("%d leaders had what was committed before", f.RaftSafety.Leaders)
}

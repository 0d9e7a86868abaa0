// SPDX-License-Identifier: Apache-2.0

package invariant

import "fmt"

var _ = define(Check{
	Key:     "matching",
	Name:    "log matching",
	Doc:     "Two logs that have an entry of the same index and term have the same entry there, and the same one before it (log matching of Raft), nobody takes anything over from a leader of an earlier term, and who tells its leader that their logs match is right, by the logs that nodes save and their messages.",
	Needs:   []Need{needRaftSafety},
	Applies: replicated,
}, judgeMatching)

func judgeMatching(j *judgement, f *Facts, _ *noSettings) string {
	breaches(f, LogsDiffer, func(b Breach) {
		j.violation("cluster %d: node %d, in term %d, saved the entry of index %d and term %d behind one of term %d, where another log has one of term %d; at %s",
			b.Cluster, b.Node, b.Term, b.Index, b.EntryTerm, b.LastTerm, b.OtherTerm, seconds(b.At))
	})
	breaches(f, EntriesDiffer, func(b Breach) {
		j.violation("cluster %d: node %d, in term %d, saved an entry of index %d and term %d that differs from the one in another log; at %s",
			b.Cluster, b.Node, b.Term, b.Index, b.EntryTerm, seconds(b.At))
	})
	breaches(f, FalseMatch, func(b Breach) {
		j.violation("cluster %d: node %d answered node %d, leader of term %d, that it has its log up to index %d, where it has an entry of term %d and the leader one of term %d; at %s",
			b.Cluster, b.Node, b.Others[0], b.Term, b.Index, b.EntryTerm, b.OtherTerm, seconds(b.At))
	})
	breaches(f, UnverifiedAnswer, func(b Breach) {
		j.violation("cluster %d: node %d answered node %d, leader of term %d, that it has its log up to index %d, of which it can know up to index %d only; at %s",
			b.Cluster, b.Node, b.Others[0], b.Term, b.Index, b.LastIndex, seconds(b.At))
	})
	breaches(f, FromDeposed, func(b Breach) {
		j.violation("cluster %d: node %d, which had saved term %d, took over the entry of index %d and term %d, which only a leader of term %d sent it; at %s",
			b.Cluster, b.Node, b.Term, b.Index, b.EntryTerm, b.LastTerm, seconds(b.At))
	})
	return fmt.Sprintf("%d entries follow the same one in all logs", f.RaftSafety.Entries)
}

// SPDX-License-Identifier: Apache-2.0

package invariant

import "fmt"

var _ = define(Check{
	Key:     "readindex",
	Name:    "reads see what is committed",
	Doc:     "A linearizable read gets an index from the leader that is not before what was committed when it was asked for, a follower serves none without, and no leader serves one before it has committed an entry of its own term, by the messages that nodes exchange.",
	Needs:   []Need{needRaftSafety},
	Applies: replicated,
}, judgeReadIndex)

func judgeReadIndex(j *judgement, f *Facts, _ *noSettings) string {
	breaches(f, StaleRead, func(b Breach) {
		j.violation("cluster %d: node %d, leader of term %d, let node %d read at index %d, though the log had been committed up to index %d before it asked; at %s",
			b.Cluster, b.Node, b.Term, b.Others[0], b.Index, b.LastIndex, seconds(b.At))
	})
	breaches(f, EarlyRead, func(b Breach) {
		j.violation("cluster %d: node %d served a linearizable read as leader of term %d before an entry of that term was committed; the newest one, up to index %d, is of term %d; at %s",
			b.Cluster, b.Node, b.Term, b.Index, b.LastTerm, seconds(b.At))
	})
	breaches(f, UnansweredRead, func(b Breach) {
		j.violation("cluster %d: node %d, in term %d, served a linearizable read at index %d that no leader had answered; at %s",
			b.Cluster, b.Node, b.Term, b.Index, seconds(b.At))
	})
	return fmt.Sprintf("%d reads saw what had been committed", f.RaftSafety.Reads)
}

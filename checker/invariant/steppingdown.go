// SPDX-License-Identifier: Apache-2.0

package invariant

import "fmt"

var _ = define(Check{
	Key:     "stepping_down",
	Name:    "leaders without followers step down",
	Doc:     "A leader that hears of no majority of the voters for some election timeouts, counted by its own heartbeats, leads no more, by the messages that nodes exchange.",
	Needs:   []Need{needRaftSafety},
	Applies: replicated,
}, judgeSteppingDown)

func judgeSteppingDown(j *judgement, f *Facts, _ *noSettings) string {
	breaches(f, LeadsAlone, func(b Breach) {
		j.violation("cluster %d: node %d goes on to lead in term %d though in its last %d rounds of heartbeats it heard of nodes %v only, no majority of the voters %v; at %s",
			b.Cluster, b.Node, b.Term, b.Index, b.Others, b.Voters, seconds(b.At))
	})
	return fmt.Sprintf("%d leaders had followers, or stepped down", f.RaftSafety.Leaders)
}

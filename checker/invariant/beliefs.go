// SPDX-License-Identifier: Apache-2.0

package invariant

import "fmt"

type beliefSettings struct {
	Strict bool `key:"strict" default:"false" doc:"Whether a mistaken belief is a violation. Otherwise it is only counted: Dragonboat v3.3.8 has them after a snapshot that arrives late, and elects nobody by them."`
}

var _ = define(Check{
	Key:     "beliefs",
	Name:    "beliefs in leaders",
	Doc:     "No node names a node as leader of a term in which another one led.",
	Needs:   []Need{needLeaders, needBeliefs},
	Applies: replicated, // nobody follows in a cluster of one
}, judgeBeliefs)

// judgeBeliefs compares what nodes say of others with what leaders say of
// themselves. A leader that nobody recorded is no contradiction: it may have
// died before it could announce itself.
func judgeBeliefs(j *judgement, f *Facts, s *beliefSettings) string {
	type term struct{ cluster, term uint64 }
	led := map[term]uint64{}
	for _, l := range f.Leaders {
		led[term{l.Cluster, l.Term}] = l.Node
	}
	j.measured = !s.Strict
	mistaken, first := 0, ""
	for _, b := range f.Beliefs {
		leader, known := led[term{b.Cluster, b.Term}]
		if !known || leader == b.Leader {
			continue
		}
		text := fmt.Sprintf("cluster %d: node %d named node %d as leader of term %d at %s, in which node %d led",
			b.Cluster, b.Node, b.Leader, b.Term, seconds(b.At), leader)
		if s.Strict {
			j.violation("%s", text)
		}
		if mistaken++; mistaken == 1 {
			first = ", the first: " + text
		}
	}
	if len(f.Beliefs) == 0 {
		j.inconclusive("no node announced whom it follows")
	}
	return fmt.Sprintf("%d of %d announcements name a node that did not lead%s", mistaken, len(f.Beliefs), first)
}

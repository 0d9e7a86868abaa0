// SPDX-License-Identifier: Apache-2.0

package invariant

import (
	"fmt"
	"slices"
)

var needStored = Need{"which nodes have logs on the disks of hosts", func(f *Facts) bool {
	return slices.ContainsFunc(f.Hosts, func(h Host) bool { return h.Alive && h.Stored != nil })
}}

var _ = define(Check{
	Key:          "leftovers",
	Name:         "no leftovers",
	Doc:          "No live host still has the log, or data of the state machine, of a node that is not a member of its cluster any more, or whose cluster was deleted.",
	Needs:        []Need{needMemberships, needStored},
	AfterHealing: true,
	Applies:      func(f *Facts) bool { return !f.Static }, // nobody else removes what a former member leaves
}, judgeLeftovers)

func judgeLeftovers(j *judgement, f *Facts, _ *noSettings) string {
	t := truthOf(f)
	logs := 0
	for _, h := range f.Hosts {
		if h.Alive && h.Stored == nil {
			j.inconclusive("what is on the disk of host %s was not recorded", h.Host)
		}
		for _, n := range h.Stored {
			logs++
			t.judgeLeftover(j, h.Host, n, "a log")
		}
		for _, n := range h.Data {
			t.judgeLeftover(j, h.Host, n, "data")
		}
	}
	if logs == 0 {
		j.inconclusive("no live host was seen to have a log")
	}
	return fmt.Sprintf("%d logs on disks are those of members", logs)
}

// judgeLeftover judges whether a node of which something is left, a log or data, is a member.
func (t *truth) judgeLeftover(j *judgement, host string, n Node, what string) {
	switch t.standing(n) {
	case isChanging:
		j.inconclusive("cluster %d changed while it was looked at", n.Cluster)
	case isUnwanted:
		j.violation("the disk of host %s has %s of node %d of cluster %d, which was deleted", host, what, n.Node, n.Cluster)
	case isUnknown:
		j.inconclusive("no membership of cluster %d was recorded, of whose node %d host %s has %s", n.Cluster, n.Node, host, what)
	case isNoVoter:
		j.inconclusive("only the voters of cluster %d were recorded, and node %d, of which host %s has %s, is none of them", n.Cluster, n.Node, host, what)
	case isStranger:
		j.violation("the disk of host %s has %s of node %d of cluster %d, which is no member", host, what, n.Node, n.Cluster)
	}
}

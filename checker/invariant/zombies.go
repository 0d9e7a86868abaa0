// SPDX-License-Identifier: Apache-2.0

package invariant

import "fmt"

var _ = define(Check{
	Key:          "zombies",
	Name:         "no zombie",
	Doc:          "No live host runs a node that is not a member of its cluster any more, or that runs on another host, too.",
	Needs:        []Need{needHosts, needMemberships},
	AfterHealing: true,
}, judgeZombies)

func judgeZombies(j *judgement, f *Facts, _ *noSettings) string {
	t := truthOf(f)
	t.needNodes(j)
	t.judgeTwice(j)
	nodes := 0
	for _, h := range f.Hosts {
		if !h.Alive {
			continue
		}
		for _, n := range h.Running {
			nodes++
			t.judgeZombie(j, h.Host, n)
		}
	}
	if nodes == 0 {
		j.inconclusive("no live host was seen to run a node")
	}
	return fmt.Sprintf("%d running nodes are members of their clusters, each on one host", nodes)
}

// judgeZombie judges whether a node that runs is a member.
func (t *truth) judgeZombie(j *judgement, host string, n Node) {
	switch t.standing(n) {
	case isChanging:
		j.inconclusive("cluster %d changed while it was looked at", n.Cluster)
	case isUnwanted:
		j.violation("host %s runs node %d of cluster %d, which should not be there", host, n.Node, n.Cluster)
	case isUnknown:
		j.inconclusive("no membership of cluster %d was recorded, whose node %d runs on %s", n.Cluster, n.Node, host)
	case isNoVoter:
		j.inconclusive("only the voters of cluster %d were recorded, and node %d, which runs on %s, is none of them", n.Cluster, n.Node, host)
	case isStranger:
		j.violation("host %s runs node %d of cluster %d, which is no member", host, n.Node, n.Cluster)
	}
}

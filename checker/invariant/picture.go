// SPDX-License-Identifier: Apache-2.0

package invariant

import (
	"fmt"
	"slices"
)

var _ = define(Check{
	Key:          "picture",
	Name:         "Drummer's picture",
	Doc:          "Every cluster has its full number of voting members, each running on the one live host that its membership names, and Drummer believes exactly that.",
	Needs:        []Need{needClusters, needHosts, needPicture, needMemberships},
	AfterHealing: true,
	Applies:      func(f *Facts) bool { return !f.Static }, // there is a Drummer
}, judgePicture)

func judgePicture(j *judgement, f *Facts, _ *noSettings) string {
	t := truthOf(f)
	t.needNodes(j)
	t.judgeTwice(j)
	believed := t.beliefs(j)
	for _, c := range f.Clusters {
		m, ok := t.newest[c.Cluster]
		switch {
		case slices.Contains(f.Changing, c.Cluster):
			j.inconclusive("cluster %d changed while it was looked at", c.Cluster)
		case !t.runs[c.Cluster]:
			t.absent(j, "cluster %d runs on no live host at all", c.Cluster)
		case !ok:
			j.inconclusive("no membership of cluster %d was recorded", c.Cluster)
		default:
			t.judgeMembers(j, c, m)
			t.judgeBelief(j, c, m, believed[c.Cluster])
		}
	}
	return fmt.Sprintf("%d clusters have all members on live hosts, in truth and in Drummer's eyes", len(f.Clusters))
}

// beliefs sorts Drummer's picture by cluster and node, and says what in it is
// wrong whatever the truth.
func (t *truth) beliefs(j *judgement) map[uint64]map[uint64]PictureNode {
	wanted := make(map[uint64]bool)
	for _, c := range t.Clusters {
		wanted[c.Cluster] = true
	}
	believed := make(map[uint64]map[uint64]PictureNode)
	for _, p := range t.Picture {
		nodes, known := believed[p.Cluster]
		if !known && !wanted[p.Cluster] {
			j.violation("Drummer believes in cluster %d with node %d, which should not be there", p.Cluster, p.Node)
		}
		if o, twice := nodes[p.Node]; twice && o != p {
			j.violation("cluster %d: Drummer believes member %d on host %s and on host %s", p.Cluster, p.Node, o.Host, p.Host)
		}
		inner(believed, p.Cluster)[p.Node] = p
	}
	return believed
}

func (t *truth) judgeMembers(j *judgement, c Cluster, m Membership) {
	if len(m.Voters) != c.Size {
		j.violation("cluster %d has %d voting members instead of %d", c.Cluster, len(m.Voters), c.Size)
	}
	on := make(map[string]uint64)
	for _, node := range sortedKeys(m.Voters) {
		hosts := t.hostsOf[Node{c.Cluster, node}]
		if len(hosts) == 0 {
			t.absent(j, "cluster %d: member %d runs on no live host", c.Cluster, node)
			continue
		}
		host := hosts[0]
		if other, twice := on[host]; twice {
			j.violation("cluster %d: members %d and %d both run on host %s", c.Cluster, other, node, host)
		}
		on[host] = node
		switch address := t.addressOf[host]; {
		case address == "":
			j.inconclusive("cluster %d: the address of host %s, where member %d runs, was not recorded", c.Cluster, host, node)
		case address != m.Voters[node]:
			j.violation("cluster %d: member %d runs on host %s, address %s; the membership says %s", c.Cluster, node, host, address, m.Voters[node])
		}
	}
}

func (t *truth) judgeBelief(j *judgement, c Cluster, m Membership, believed map[uint64]PictureNode) {
	for _, node := range sortedKeys(m.Voters) {
		p, known := believed[node]
		hosts := t.hostsOf[Node{c.Cluster, node}]
		runs := len(hosts) > 0
		switch {
		case !known:
			j.violation("cluster %d: Drummer does not know member %d", c.Cluster, node)
		case !p.Voter:
			j.violation("cluster %d: Drummer does not take member %d for a voter", c.Cluster, node)
		case runs && !slices.Contains(hosts, p.Host):
			j.violation("cluster %d: Drummer believes member %d on host %s; it runs on %s", c.Cluster, node, p.Host, hosts[0])
		case runs != p.Alive && (runs || !t.blind()):
			j.violation("cluster %d: Drummer believes member %d on host %s alive: %v; it runs: %v", c.Cluster, node, p.Host, p.Alive, runs)
		}
	}
	for _, node := range sortedKeys(believed) {
		_, votes := m.Voters[node]
		switch {
		case votes:
		case believed[node].Voter && m.has(node):
			j.violation("cluster %d: Drummer takes member %d for a voter; it is none", c.Cluster, node)
		case !believed[node].Voter && m.VotersOnly:
			j.inconclusive("cluster %d: whether node %d is a member, as Drummer believes, was not recorded", c.Cluster, node)
		case !m.has(node):
			j.violation("cluster %d: Drummer takes node %d for a member; it is none", c.Cluster, node)
		}
	}
}

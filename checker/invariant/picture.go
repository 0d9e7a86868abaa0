// SPDX-License-Identifier: Apache-2.0

package invariant

// Picture: after healing every cluster has its full number of voting members,
// each running on a live host, in truth; Drummer believes exactly that.
func Picture(f *Facts) Finding {
	j := judgement{name: NamePicture}
	if len(f.Clusters) == 0 || f.Hosts == nil || f.Picture == nil || len(f.Memberships) == 0 {
		j.inconclusive("clusters, hosts, memberships and Drummer's picture have to be recorded")
		return j.finding("")
	}
	hostOf, alive := running(f)
	newest := latest(f)
	believed := make(map[uint64]map[uint64]PictureNode)
	for _, p := range f.Picture {
		if believed[p.Cluster] == nil {
			believed[p.Cluster] = make(map[uint64]PictureNode)
		}
		believed[p.Cluster][p.Node] = p
	}
	for _, c := range f.Clusters {
		m, ok := newest[c.Cluster]
		if !ok {
			j.violation("cluster %d has no node that knows its membership", c.Cluster)
			continue
		}
		judgeTruth(&j, c, m, hostOf)
		judgeBelief(&j, c, m, believed[c.Cluster], hostOf, alive)
	}
	return j.finding("%d clusters have all members on live hosts, in truth and in Drummer's eyes", len(f.Clusters))
}

// running returns the live host that each node runs on, and which hosts live.
func running(f *Facts) (hostOf map[Node]string, alive map[string]bool) {
	hostOf, alive = make(map[Node]string), make(map[string]bool)
	for _, h := range f.Hosts {
		alive[h.Host] = h.Alive
		if !h.Alive {
			continue
		}
		for _, n := range h.Running {
			hostOf[n] = h.Host
		}
	}
	return hostOf, alive
}

func judgeTruth(j *judgement, c Cluster, m Membership, hostOf map[Node]string) {
	if len(m.Voters) != c.Size {
		j.violation("cluster %d has %d voting members instead of %d", c.Cluster, len(m.Voters), c.Size)
	}
	on := make(map[string]uint64)
	for _, node := range sortedKeys(m.Voters) {
		host, runs := hostOf[Node{c.Cluster, node}]
		if !runs {
			j.violation("cluster %d: member %d runs on no live host", c.Cluster, node)
			continue
		}
		if other, twice := on[host]; twice {
			j.violation("cluster %d: members %d and %d both run on host %s", c.Cluster, other, node, host)
		}
		on[host] = node
	}
}

func judgeBelief(j *judgement, c Cluster, m Membership, believed map[uint64]PictureNode, hostOf map[Node]string, alive map[string]bool) {
	for _, node := range sortedKeys(m.Voters) {
		p, known := believed[node]
		host, runs := hostOf[Node{c.Cluster, node}]
		switch {
		case !known:
			j.violation("cluster %d: Drummer does not know member %d", c.Cluster, node)
		case !p.Voter:
			j.violation("cluster %d: Drummer does not take member %d for a voter", c.Cluster, node)
		case runs && p.Host != host:
			j.violation("cluster %d: Drummer believes member %d on host %s; it runs on %s", c.Cluster, node, p.Host, host)
		case p.Alive != runs:
			j.violation("cluster %d: Drummer believes member %d alive: %v; it runs: %v (host %s lives: %v)", c.Cluster, node, p.Alive, runs, p.Host, alive[p.Host])
		}
	}
	for _, node := range sortedKeys(believed) {
		if !m.has(node) {
			j.violation("cluster %d: Drummer takes node %d for a member; it is none", c.Cluster, node)
		}
	}
}

// Zombies: no live host runs a node that is not a member of its cluster any
// more.
func Zombies(f *Facts) Finding {
	j := judgement{name: NameZombies}
	newest := latest(f)
	if f.Hosts == nil || len(newest) == 0 {
		j.inconclusive("hosts and memberships have to be recorded")
		return j.finding("")
	}
	nodes := 0
	for _, h := range f.Hosts {
		if !h.Alive {
			continue
		}
		for _, n := range h.Running {
			nodes++
			m, known := newest[n.Cluster]
			switch {
			case !known:
				j.inconclusive("no membership of cluster %d was recorded, whose node %d runs on %s", n.Cluster, n.Node, h.Host)
			case !m.has(n.Node):
				j.violation("host %s runs node %d of cluster %d, which is no member", h.Host, n.Node, n.Cluster)
			}
		}
	}
	return j.finding("%d running nodes are members of their clusters", nodes)
}

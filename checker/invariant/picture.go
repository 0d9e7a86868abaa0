// SPDX-License-Identifier: Apache-2.0

package invariant

import "slices"

// Picture: after healing every cluster has its full number of voting members,
// each running on the one live host that its membership names, in truth;
// Drummer believes exactly that, and in no other cluster.
func Picture(f *Facts) Finding {
	j := judgement{name: NamePicture}
	if len(f.Clusters) == 0 || f.Hosts == nil || f.Picture == nil || f.Memberships == nil {
		j.inconclusive("clusters, hosts, memberships and Drummer's picture have to be recorded")
		return j.finding("")
	}
	t := truthOf(f)
	t.needNodes(&j)
	t.judgeTwice(&j)
	believed := t.beliefs(&j)
	for _, c := range f.Clusters {
		m, ok := t.newest[c.Cluster]
		switch {
		case slices.Contains(f.Changing, c.Cluster):
			j.inconclusive("cluster %d changed while it was looked at", c.Cluster)
		case !t.runs[c.Cluster]:
			t.absent(&j, "cluster %d runs on no live host at all", c.Cluster)
		case !ok:
			j.inconclusive("no membership of cluster %d was recorded", c.Cluster)
		default:
			t.judgeMembers(&j, c, m)
			t.judgeBelief(&j, c, m, believed[c.Cluster])
		}
	}
	return j.finding("%d clusters have all members on live hosts, in truth and in Drummer's eyes", len(f.Clusters))
}

// truth is what hosts and memberships say, in the form that checks need.
type truth struct {
	*Facts
	newest    map[uint64]Membership
	hostsOf   map[Node][]string // live ones
	addressOf map[string]string // by host
	runs      map[uint64]bool   // clusters of which any node runs
}

func truthOf(f *Facts) *truth {
	t := &truth{Facts: f, newest: latest(f), hostsOf: make(map[Node][]string), addressOf: make(map[string]string), runs: make(map[uint64]bool)}
	for _, h := range f.Hosts {
		t.addressOf[h.Host] = h.Address
		if !h.Alive {
			continue
		}
		for _, n := range h.Running {
			t.runs[n.Cluster] = true
			if !slices.Contains(t.hostsOf[n], h.Host) {
				t.hostsOf[n] = append(t.hostsOf[n], h.Host)
			}
		}
	}
	return t
}

// needNodes says which hosts nobody looked into.
func (t *truth) needNodes(j *judgement) {
	for _, h := range t.Hosts {
		if h.Alive && h.Running == nil {
			j.inconclusive("what runs on host %s was not recorded", h.Host)
		}
	}
}

// absent says that something runs nowhere, which is wrong only if all hosts
// were looked into.
func (t *truth) absent(j *judgement, format string, args ...any) {
	if t.blind() {
		j.inconclusive(format, args...)
		return
	}
	j.violation(format, args...)
}

func (t *truth) blind() bool {
	return slices.ContainsFunc(t.Hosts, func(h Host) bool { return h.Alive && h.Running == nil })
}

// judgeTwice looks for nodes that run on more than one host. A NodeID is never
// used twice, so that is wrong even if the hosts were not looked at in one
// instant.
func (t *truth) judgeTwice(j *judgement) {
	told := make(map[Node]bool)
	for _, h := range t.Hosts {
		for _, n := range h.Running {
			if on := t.hostsOf[n]; len(on) > 1 && !told[n] {
				told[n] = true
				j.violation("node %d of cluster %d runs on more than one host: %v", n.Node, n.Cluster, on)
			}
		}
	}
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

// Zombies: no live host runs a node that is not a member of its cluster any
// more, or that runs on another host, too.
func Zombies(f *Facts) Finding {
	j := judgement{name: NameZombies}
	if f.Hosts == nil || f.Memberships == nil {
		j.inconclusive("hosts and memberships have to be recorded")
		return j.finding("")
	}
	t := truthOf(f)
	t.needNodes(&j)
	t.judgeTwice(&j)
	nodes := 0
	for _, h := range f.Hosts {
		if !h.Alive {
			continue
		}
		for _, n := range h.Running {
			nodes++
			t.judgeMembership(&j, h.Host, n)
		}
	}
	if nodes == 0 {
		j.inconclusive("no live host was seen to run a node")
	}
	return j.finding("%d running nodes are members of their clusters, each on one host", nodes)
}

// judgeMembership judges whether a node that runs is a member.
func (t *truth) judgeMembership(j *judgement, host string, n Node) {
	m, known := t.newest[n.Cluster]
	unwanted := len(t.Clusters) > 0 && !slices.ContainsFunc(t.Clusters, func(c Cluster) bool { return c.Cluster == n.Cluster })
	switch {
	case slices.Contains(t.Changing, n.Cluster):
		j.inconclusive("cluster %d changed while it was looked at", n.Cluster)
	case unwanted:
		j.violation("host %s runs node %d of cluster %d, which should not be there", host, n.Node, n.Cluster)
	case !known:
		j.inconclusive("no membership of cluster %d was recorded, whose node %d runs on %s", n.Cluster, n.Node, host)
	case m.VotersOnly && !m.has(n.Node):
		j.inconclusive("only the voters of cluster %d were recorded, and node %d, which runs on %s, is none of them", n.Cluster, n.Node, host)
	case !m.has(n.Node):
		j.violation("host %s runs node %d of cluster %d, which is no member", host, n.Node, n.Cluster)
	}
}

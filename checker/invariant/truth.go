// SPDX-License-Identifier: Apache-2.0

package invariant

import "slices"

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

// standing is what the recorded memberships say of a node.
type standing int

const (
	isMember   standing = iota
	isChanging          // its cluster changed while it was looked at
	isUnwanted          // its cluster should not be there
	isUnknown           // no membership of its cluster was recorded
	isNoVoter           // only the voters were recorded, and it is none of them
	isStranger          // it is no member
)

func (t *truth) standing(n Node) standing {
	m, known := t.newest[n.Cluster]
	unwanted := len(t.Clusters) > 0 && !slices.ContainsFunc(t.Clusters, func(c Cluster) bool { return c.Cluster == n.Cluster })
	switch {
	case slices.Contains(t.Changing, n.Cluster):
		return isChanging
	case unwanted:
		return isUnwanted
	case !known:
		return isUnknown
	case m.has(n.Node):
		return isMember
	case m.VotersOnly:
		return isNoVoter
	default:
		return isStranger
	}
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
	reported := make(map[Node]bool)
	for _, h := range t.Hosts {
		for _, n := range h.Running {
			if on := t.hostsOf[n]; len(on) > 1 && !reported[n] {
				reported[n] = true
				j.violation("node %d of cluster %d runs on more than one host: %v", n.Node, n.Cluster, on)
			}
		}
	}
}

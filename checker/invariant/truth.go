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

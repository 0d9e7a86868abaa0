// SPDX-License-Identifier: Apache-2.0

package invariant

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// LogAgreement: committed entries at one index of a cluster are the same on
// every replica (log matching of Raft).
func LogAgreement(f *Facts) Finding {
	j := judgement{name: NameLog}
	first := make(map[[2]uint64]Entry)
	compared := 0
	for _, e := range f.Entries {
		at := [2]uint64{e.Cluster, e.Index}
		o, ok := first[at]
		if !ok {
			first[at] = e
			continue
		}
		if o.Node != e.Node {
			compared++
		}
		if o.Term != e.Term || o.Sum != e.Sum {
			j.violation("cluster %d index %d: node %d has %s, node %d has %s", e.Cluster, e.Index, o.Node, o.tell(), e.Node, e.tell())
		}
	}
	if compared == 0 {
		j.inconclusive("no committed entry was recorded from two replicas")
	}
	return j.finding("%d entries agree between replicas", compared)
}

func (e Entry) tell() string {
	s := fmt.Sprintf("an entry of term %d, digest %s", e.Term, e.Sum)
	if e.Decoded != "" {
		s += ": " + e.Decoded
	}
	return s
}

// LeaderPerTerm: a cluster has at most one leader in a term (election safety
// of Raft).
func LeaderPerTerm(f *Facts) Finding {
	j := judgement{name: NameLeaders}
	if len(f.Leaders) == 0 {
		j.inconclusive("no leader was recorded")
	}
	leaders := slices.Clone(f.Leaders)
	slices.SortStableFunc(leaders, func(a, b Leader) int { return cmp.Compare(a.At, b.At) })
	first := make(map[[2]uint64]Leader)
	for _, l := range leaders {
		at := [2]uint64{l.Cluster, l.Term}
		if o, ok := first[at]; !ok {
			first[at] = l
		} else if o.Node != l.Node {
			j.violation("cluster %d has two leaders in term %d: node %d at %s and node %d at %s",
				l.Cluster, l.Term, o.Node, seconds(o.At), l.Node, seconds(l.At))
		}
	}
	return j.finding("%d terms had one leader each", len(first))
}

// MembershipAgreement: replicas that know a membership by the same config
// change index know the same members, and a node that was removed is not a
// member again.
func MembershipAgreement(f *Facts) Finding {
	j := judgement{name: NameMembership}
	if len(f.Memberships) == 0 {
		j.inconclusive("no membership was recorded")
	}
	first := make(map[[2]uint64]Membership)
	for _, m := range f.Memberships {
		for _, gone := range m.Removed {
			if m.has(gone) {
				j.violation("cluster %d at config change %d: node %d is a member although it was removed", m.Cluster, m.Version, gone)
			}
		}
		at := [2]uint64{m.Cluster, m.Version}
		o, ok := first[at]
		if !ok {
			first[at] = m
		} else if !maps.Equal(o.Voters, m.Voters) || !maps.Equal(o.Observers, m.Observers) || !maps.Equal(o.Witnesses, m.Witnesses) {
			j.violation("cluster %d at config change %d: node %d knows voters %v, observers %v, witnesses %v; node %d knows %v, %v, %v",
				m.Cluster, m.Version, o.Node, o.Voters, o.Observers, o.Witnesses, m.Node, m.Voters, m.Observers, m.Witnesses)
		}
	}
	return j.finding("%d views of %d memberships agree", len(f.Memberships), len(first))
}

func (m Membership) has(node uint64) bool {
	_, v := m.Voters[node]
	_, o := m.Observers[node]
	_, w := m.Witnesses[node]
	return v || o || w
}

// latest returns the newest membership of each cluster, as far as any node
// knows.
func latest(f *Facts) map[uint64]Membership {
	newest := make(map[uint64]Membership)
	for _, m := range f.Memberships {
		if o, ok := newest[m.Cluster]; !ok || m.Version > o.Version {
			newest[m.Cluster] = m
		}
	}
	return newest
}

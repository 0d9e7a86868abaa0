// SPDX-License-Identifier: Apache-2.0

package invariant

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

var _ = define(Check{
	Key:          "membership",
	Name:         "membership agreement",
	Doc:          "Nodes that know a membership by the same config change index know the same members, and who was removed is never a member again.",
	Needs:        []Need{needClusters, needMemberships},
	AfterHealing: true,
}, judgeMembership)

// judgeMembership asks every cluster for the views of as many nodes as it has
// members, all of its newest membership.
func judgeMembership(j *judgement, f *Facts, _ *noSettings) string {
	views := make(map[uint64][]Membership)
	for _, m := range f.Memberships {
		views[m.Cluster] = append(views[m.Cluster], m)
	}
	for _, cluster := range sortedKeys(views) {
		slices.SortStableFunc(views[cluster], func(a, b Membership) int { return cmp.Compare(a.Version, b.Version) })
		judgeSameVersion(j, views[cluster])
		judgeRemoved(j, views[cluster])
	}
	for _, c := range f.Clusters {
		enoughViews(j, c, views[c.Cluster])
	}
	return fmt.Sprintf("%d views of the memberships of %d clusters agree", len(f.Memberships), len(views))
}

// judgeSameVersion compares each of the views, which are in order of their
// versions, with the fullest one before it of the same version.
func judgeSameVersion(j *judgement, views []Membership) {
	for i, full := 0, 0; i < len(views); i++ {
		m, o := views[i], views[full]
		if m.Version != o.Version {
			full = i
			continue
		}
		if !o.agrees(m) {
			j.violation("cluster %d at config change %d: node %d knows %s; node %d knows %s",
				m.Cluster, m.Version, o.Node, o, m.Node, m)
		}
		if m.fullness() > o.fullness() {
			full = i
		}
	}
}

// fullness orders views by how much they say.
func (m Membership) fullness() int {
	switch {
	case m.VotersOnly:
		return 0
	case m.Removed == nil:
		return 1
	}
	return 2
}

// agrees reports whether two views of one version can both be right.
func (m Membership) agrees(o Membership) bool {
	if !maps.Equal(m.Voters, o.Voters) {
		return false
	}
	if m.VotersOnly || o.VotersOnly {
		return true
	}
	if !maps.Equal(m.Observers, o.Observers) || !maps.Equal(m.Witnesses, o.Witnesses) {
		return false
	}
	return m.Removed == nil || o.Removed == nil || slices.Equal(sorted(m.Removed), sorted(o.Removed))
}

func (m Membership) String() string {
	s := fmt.Sprintf("voters %v", m.Voters)
	if m.VotersOnly {
		return s
	}
	return s + fmt.Sprintf(", observers %v, witnesses %v, removed %v", m.Observers, m.Witnesses, sorted(m.Removed))
}

func sorted(ids []uint64) []uint64 {
	return slices.Sorted(slices.Values(ids))
}

// judgeRemoved follows a cluster's memberships from version to version. Who is
// in none of a whole view was removed if an earlier one has him, whether or not
// the view says so: NodeIDs are never used twice.
func judgeRemoved(j *judgement, views []Membership) {
	seen := make(map[uint64]bool)
	goneAt := make(map[uint64]uint64) // by node: the version that was first known to lack it
	reported := make(map[uint64]bool)
	for _, m := range views {
		for _, node := range m.Removed {
			if _, known := goneAt[node]; !known {
				goneAt[node] = m.Version
			}
		}
		for _, node := range sortedKeys(seen) {
			if _, known := goneAt[node]; !known && !m.VotersOnly && !m.has(node) {
				goneAt[node] = m.Version
			}
		}
		for _, node := range m.members() {
			seen[node] = true
			if at, gone := goneAt[node]; gone && !reported[node] && (at < m.Version || slices.Contains(m.Removed, node)) {
				reported[node] = true
				j.violation("cluster %d at config change %d: node %d is a member although it was removed by config change %d", m.Cluster, m.Version, node, at)
			}
		}
	}
}

// enoughViews says what is missing of a cluster's views, which are in order of
// their versions.
func enoughViews(j *judgement, c Cluster, views []Membership) {
	if len(views) == 0 {
		j.inconclusive("no membership of cluster %d was recorded", c.Cluster)
		return
	}
	newest := views[len(views)-1].Version
	nodes := make(map[uint64]bool)
	removed := false
	for _, m := range views {
		removed = removed || m.Removed != nil
		if m.Version == newest && !m.VotersOnly {
			nodes[m.Node] = true
		}
	}
	if len(nodes) < max(1, c.Size) {
		j.inconclusive("cluster %d: only %d of %d members gave the membership of config change %d", c.Cluster, len(nodes), c.Size, newest)
	}
	if !removed {
		j.inconclusive("cluster %d: which members were removed was not recorded", c.Cluster)
	}
}

// has reports whether a node is a member, of whatever role.
func (m Membership) has(node uint64) bool {
	_, v := m.Voters[node]
	_, o := m.Observers[node]
	_, w := m.Witnesses[node]
	return v || o || w
}

// members lists the members of all roles.
func (m Membership) members() []uint64 {
	return slices.Concat(sortedKeys(m.Voters), sortedKeys(m.Observers), sortedKeys(m.Witnesses))
}

// latest returns the newest membership of each cluster, as far as any node
// knows.
func latest(f *Facts) map[uint64]Membership {
	newest := make(map[uint64]Membership)
	for _, m := range f.Memberships {
		o, ok := newest[m.Cluster]
		if !ok || m.Version > o.Version || m.Version == o.Version && m.fullness() > o.fullness() {
			newest[m.Cluster] = m
		}
	}
	return newest
}

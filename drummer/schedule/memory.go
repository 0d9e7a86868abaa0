// SPDX-License-Identifier: Apache-2.0

package schedule

import (
	"maps"
	"slices"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	"github.com/drumbeat-raft/drumbeat/drummer/db/ordmap"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule/internal/fleet"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule/internal/placement"
)

// Memory carries from one decision to the next what was found out about clusters that
// are healthy, so that they are looked at again only when they, or a host of theirs,
// have changed. Every other cluster is open, and is looked at in each decision: what
// becomes of it may depend on time, on the limits, and on what others are given.
//
// Whether a cluster is healthy (fleet.Healthy) follows from the cluster and, of the
// hosts that carry it, from whether they are up, from their mode and their Info. What
// changed is what two states do not share, so nothing has to be told to a Memory: it
// may skip states, go back, and be thrown away at any time. The zero Memory is empty.
// A decision with an empty one looks at everything; one with any other decides the
// same. It is not safe for concurrent use.
type Memory struct {
	// fleet is what the rest is true of; nil: nothing is remembered.
	fleet *fleet.Fleet

	open ordmap.Map[uint64, none]
	// leaders counts the healthy clusters that each host leads, by fleet.Host.Index.
	leaders []int
	// outdated are healthy clusters of which a node runs with another Raft
	// configuration than it should.
	outdated ordmap.Map[uint64, none]
	// mismatched are healthy clusters whose members do not live as specified: those
	// that are misplaced could be improved; the others may lack something for that,
	// which is in shortages.
	mismatched ordmap.Map[uint64, none]
	misplaced  ordmap.Map[uint64, none]
	shortages  ordmap.Map[uint64, string]
	// inviting is what placement.Map.Inviting said, by key, when that was found out.
	inviting map[string][]string
}

type none struct{}

// Decide is the function Decide, with what was found out before.
func (m *Memory) Decide(state *db.State, policy Policy, seed uint64) Plan {
	return newDecision(m.fleet, state, policy, seed).decide(m)
}

// update brings the memory to the state of a decision.
func (m *Memory) update(d *decision) {
	now := d.fleet
	if m.fleet == nil || m.fleet.Policy != now.Policy || m.fleet.State.Launched != now.State.Launched {
		*m = Memory{leaders: make([]int, len(now.Hosts)), inviting: map[string][]string{}}
		for c := range now.State.Clusters.Values() {
			m.learn(d, c)
		}
	} else {
		changed := slices.Collect(ordmap.Changed(m.fleet.State.Clusters, now.State.Clusters))
		for was, is := range now.Changed(m.fleet) {
			if changedFor(was, is) {
				for id := range was.Replicas.All() {
					changed = append(changed, id)
				}
			}
		}
		slices.Sort(changed)
		changed = slices.Compact(changed)
		for _, id := range changed {
			m.forget(id)
		}
		m.renumber(now)
		for _, id := range changed {
			if c := now.State.Clusters.At(id); c != nil {
				m.learn(d, c)
			}
		}
	}
	m.fleet = now
	m.reviewAgain(d)
}

// changedFor reports whether a host is another one than before for the clusters that
// it carries.
func changedFor(before, now *fleet.Host) bool {
	return now == nil || before.Up != now.Up || before.Mode != now.Mode || before.Info != now.Info
}

// forget drops what is remembered of a cluster, as it was.
func (m *Memory) forget(id uint64) {
	c := m.fleet.State.Clusters.At(id)
	if c == nil {
		return
	}
	m.open = m.open.Delete(id)
	m.outdated = m.outdated.Delete(id)
	m.mismatched = m.mismatched.Delete(id)
	m.misplaced = m.misplaced.Delete(id)
	m.shortages = m.shortages.Delete(id)
	var hosts [db.MaxClusterSize]*fleet.Host
	if healthy, ok := m.fleet.Healthy(c, &hosts); ok && healthy.Leader != nil {
		m.leaders[healthy.Leader.Index]--
	}
}

// renumber brings leaders to the indexes of a fleet that may have other hosts.
func (m *Memory) renumber(now *fleet.Fleet) {
	if now.SameHosts(m.fleet) {
		return
	}
	leaders := make([]int, len(now.Hosts))
	for i, h := range m.fleet.Hosts {
		if is := now.Host(h.ID()); is != nil {
			leaders[is.Index] = m.leaders[i]
		}
	}
	m.leaders = leaders
}

// learn finds out what there is to know of a cluster, as it is now.
func (m *Memory) learn(d *decision, c *db.Cluster) {
	if d.excluded(c) {
		return
	}
	var hosts [db.MaxClusterSize]*fleet.Host
	healthy, ok := d.fleet.Healthy(c, &hosts)
	if !ok {
		m.open = m.open.Set(c.ID, none{})
		return
	}
	if healthy.Leader != nil {
		m.leaders[healthy.Leader.Index]++
	}
	if healthy.Outdated {
		m.outdated = m.outdated.Set(c.ID, none{})
	}
	if !placement.Matched(c, healthy.Hosts) {
		m.mismatched = m.mismatched.Set(c.ID, none{})
		m.review(d, c, healthy.Hosts)
	}
}

// review finds out whether a mismatched cluster could be improved.
func (m *Memory) review(d *decision, c *db.Cluster, hosts []*fleet.Host) {
	for _, key := range []string{fleet.Region, c.Spec.SpreadOver} {
		if _, known := m.inviting[key]; !known {
			m.inviting[key] = slices.Clone(d.placement.Inviting(key))
		}
	}
	m.misplaced = m.misplaced.Delete(c.ID)
	m.shortages = m.shortages.Delete(c.ID)
	switch improvable, shortage := d.placement.Review(c, hosts); {
	case improvable:
		m.misplaced = m.misplaced.Set(c.ID, none{})
	case shortage != "":
		m.shortages = m.shortages.Set(c.ID, shortage)
	}
}

// reviewAgain looks at all mismatched clusters when other hosts than before may be
// moved to: hosts begin and cease to be that as time passes.
func (m *Memory) reviewAgain(d *decision) {
	if m.mismatched.Len() == 0 {
		clear(m.inviting)
		return
	}
	same := true
	for _, key := range slices.Sorted(maps.Keys(m.inviting)) {
		same = same && slices.Equal(m.inviting[key], d.placement.Inviting(key))
	}
	if same {
		return
	}
	clear(m.inviting)
	for id := range m.mismatched.All() {
		c := d.fleet.State.Clusters.At(id)
		var hosts [db.MaxClusterSize]*fleet.Host
		healthy, _ := d.fleet.Healthy(c, &hosts)
		m.review(d, c, healthy.Hosts)
	}
}

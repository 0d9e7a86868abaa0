// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/invariant"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// Drummer moves misplaced members to hosts that have been up for two minutes of
// heartbeats, a few at a time, and avoids hosts for longer that died often.
const (
	placeHeartbeats = 600
	placeLimit      = 2 * time.Minute
	// maxAbsences is how often a host may have been away to count as one that
	// members could move to.
	maxAbsences = 3
)

// place waits until the members of all clusters live as the scenario wants them, if it
// does and all is whole.
func (r *runner) place(ctx context.Context) {
	if !r.scenario.Clusters.Placed() || !r.outcome.Settled {
		return
	}
	began := time.Now()
	limited, cancel := context.WithTimeout(ctx, placeLimit+placeHeartbeats*r.scenario.Drummer.Heartbeat.D())
	defer cancel()
	placement := &invariant.Placement{}
	r.wait(limited, func() bool {
		placement.Left = r.misplaced(r.observer.poll(limited))
		return len(placement.Left) == 0
	})
	placement.Took = int64(time.Since(began))
	r.outcome.Facts.Placement = placement
}

// misplaced lists what is wrong with where members live, in order of clusters.
func (r *runner) misplaced(tr truth) []string {
	hosts := map[string]world.Host{} // by RaftAddress
	var open []world.Host
	empty, absences := r.wanted.mustBeEmpty(), r.observer.absences()
	for _, h := range r.w.Hosts() {
		hosts[h.RaftAddress] = h
		if _, up := tr.hosts[h.Name]; up && !slices.Contains(empty, h.Name) && absences[h.Name] <= maxAbsences {
			open = append(open, h)
		}
	}
	var left []string
	for _, id := range r.wanted.clusters() {
		c := tr.clusters[id]
		if c == nil {
			continue
		}
		var at []world.Host
		for _, node := range slices.Sorted(maps.Keys(c.voters)) {
			at = append(at, hosts[c.voters[node]])
		}
		if why := misplacedIn(r.scenario.Clusters, at, open); why != "" {
			left = append(left, fmt.Sprintf("cluster %d: %s", id, why))
		}
	}
	return left
}

// misplacedIn says what is wrong with the hosts of a cluster's members; nothing, if no
// member could live better on one of the open hosts.
func misplacedIn(want scenarios.Clusters, at, open []world.Host) string {
	for _, h := range at {
		if lacks := lacking(want, h); lacks != "" {
			return fmt.Sprintf("a member is on %s, which lacks the label %s", h.Name, lacks)
		}
	}
	is := distanceOf(want, at)
	for i, h := range at {
		for _, o := range open {
			if lacking(want, o) != "" || slices.ContainsFunc(at, func(h world.Host) bool { return h.Name == o.Name }) {
				continue
			}
			moved := slices.Clone(at)
			moved[i] = o
			if would := distanceOf(want, moved); would.compare(is) < 0 {
				return fmt.Sprintf("%s; on %s in place of %s, %s", is, o.Name, h.Name, would)
			}
		}
	}
	return ""
}

func lacking(want scenarios.Clusters, h world.Host) string {
	for _, label := range want.RequiredLabels {
		if h.Labels[label] == "" {
			return label
		}
	}
	return ""
}

// distance is how far the hosts of a cluster are from what is wanted; field by field,
// less is better.
type distance struct {
	missing  int // members that regions have too few
	together int // pairs of members in one failure domain
}

func (d distance) compare(o distance) int {
	return cmp.Or(cmp.Compare(d.missing, o.missing), cmp.Compare(d.together, o.together))
}

func (d distance) String() string {
	return fmt.Sprintf("regions lack %d members and %d pairs share a failure domain", d.missing, d.together)
}

func distanceOf(want scenarios.Clusters, at []world.Host) distance {
	var d distance
	regions, domains := map[string]int{}, map[string]int{}
	for _, h := range at {
		regions[h.Region]++
		switch want.SpreadOver {
		case scenarios.SpreadOverRegions:
			domains[h.Region]++
		case scenarios.SpreadOverRacks:
			domains[h.Labels[world.RackLabel]]++
		}
	}
	for region, n := range want.Regions {
		d.missing += max(n-regions[region], 0)
	}
	for _, n := range domains {
		d.together += n * (n - 1) / 2
	}
	return d
}

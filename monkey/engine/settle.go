// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"
)

// settle waits until truth and Drummer's picture are whole and stay so.
func (r *runner) settle(ctx context.Context) {
	began := time.Now()
	limited, cancel := context.WithTimeout(ctx, r.scenario.Settle.D())
	defer cancel()
	var calm time.Time
	r.wait(limited, func() bool {
		r.outcome.Unsettled = r.unsettled(limited)
		if len(r.outcome.Unsettled) > 0 {
			calm = time.Time{}
			return false
		}
		if calm.IsZero() {
			calm = time.Now()
		}
		r.outcome.Settled = time.Since(calm) >= calmFor
		return r.outcome.Settled
	})
	r.outcome.Settle = time.Since(began)
}

// unsettled says what is not whole: in truth, and in Drummer's eyes.
func (r *runner) unsettled(ctx context.Context) []string {
	var not []string
	tr := r.observer.poll(ctx)
	not = append(not, r.unmet(tr)...)
	if r.static() {
		return not
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	located, err := r.drummer.Locate(ctx)
	if err != nil {
		return append(not, "Drummer does not answer: "+err.Error())
	}
	for _, c := range located.GetClusters() {
		if c.GetWaitingFor() != "" {
			not = append(not, fmt.Sprintf("Drummer says that cluster %d waits: %s", c.GetClusterId(), c.GetWaitingFor()))
		}
		for _, m := range c.GetMembers() {
			if !m.GetRunning() {
				not = append(not, fmt.Sprintf("Drummer does not see node %d of cluster %d running", m.GetNodeId(), c.GetClusterId()))
			}
		}
	}
	ops, err := r.drummer.ListOperations(ctx)
	if err != nil {
		return append(not, "Drummer does not answer: "+err.Error())
	}
	for _, op := range ops.GetOperations() {
		not = append(not, fmt.Sprintf("Drummer is at work on cluster %d: %s", op.GetRequest().GetClusterId(), op.GetReason()))
	}
	return not
}

// unmet says which clusters and hosts are, in truth, not as wanted.
func (r *runner) unmet(tr truth) []string {
	var not []string
	ids := r.wanted.clusters()
	for _, id := range ids {
		if c := tr.clusters[id]; c == nil || !c.full(r.wanted.members(id)) {
			not = append(not, fmt.Sprintf("cluster %d, of wanted size %d, %s", id, r.wanted.size(id), c.describe()))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(tr.clusters)) {
		if !slices.Contains(ids, id) {
			not = append(not, fmt.Sprintf("cluster %d should be deleted and %s", id, tr.clusters[id].describe()))
		}
	}
	for _, host := range r.wanted.mustBeEmpty() {
		if n := len(tr.hosts[host].Nodes); n > 0 {
			not = append(not, fmt.Sprintf("host %s was drained and still runs %d nodes", host, n))
		}
	}
	return not
}

// describe says how a cluster is, for people.
func (c *clusterTruth) describe() string {
	if c == nil {
		return "has no running node at all"
	}
	return fmt.Sprintf("has the voters %v, and the nodes %v run",
		slices.Sorted(maps.Keys(c.voters)), slices.Sorted(maps.Keys(c.running)))
}

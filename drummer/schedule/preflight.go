// SPDX-License-Identifier: Apache-2.0

package schedule

import (
	"fmt"
	"math"
	"slices"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule/internal/fleet"
)

// PreflightDrain returns what a drain of a host would run into: for each cluster
// that has a member there, why it could not be moved, or what would be left
// unmet. Limits on operations are not considered, they only take time.
func PreflightDrain(state *db.State, policy Policy, hostID string) []Waiting {
	h := state.Hosts.At(hostID)
	if h == nil {
		return nil
	}
	drained := *h
	drained.Mode = pb.HostMode_DRAIN
	assumed := *state
	assumed.Hosts = state.Hosts.Set(hostID, &drained)
	policy.OperationsPerHost, policy.OperationsTotal, policy.JoinsPerHost = math.MaxInt32, math.MaxInt32, math.MaxInt32

	d := newDecision(nil, &assumed, policy, 0)
	var found []Waiting
	for id := range h.Replicas.All() { // a member that leaves is live, so it is reported
		c := assumed.Clusters.At(id)
		if c.Spec == nil || c.Deleted {
			continue
		}
		a := d.assess(c)
		if why := d.obstacle(a, hostID); why != "" {
			found = append(found, Waiting{ClusterID: c.ID, For: why})
		}
	}
	return found
}

// obstacle says what keeps a cluster's member from leaving a host.
func (d *decision) obstacle(c *fleet.Cluster, hostID string) string {
	leaves := slices.ContainsFunc(c.Voters, func(m *fleet.Member) bool {
		return m.Host != nil && m.Host.ID() == hostID && m.Leaving
	})
	if !leaves {
		return ""
	}
	if !c.Quorate() {
		return c.NoQuorum()
	}
	lacking := d.placement.Lacking(c)
	to, why := d.placement.Target(c)
	if to == nil {
		return why
	}
	d.placement.CountNode(to)
	if len(lacking) > 0 && to.Region() != lacking[0] {
		return fmt.Sprintf("a host in region %q: its member would go to %s in region %q", lacking[0], to.ID(), to.Region())
	}
	return ""
}

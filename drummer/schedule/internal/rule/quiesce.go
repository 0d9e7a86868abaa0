// SPDX-License-Identifier: Apache-2.0

package rule

import (
	"github.com/drumbeat-raft/drumbeat/drummer/schedule/internal/fleet"
)

// The members of a cluster with quiesce set sleep while nothing is asked of
// them, and a sleeping member does not notice that it is cut off: it follows the
// old leader indefinitely, in the old term. An election shows it: who does not
// follow in the new term did not hear of it. That is good for provenFor times
// Policy.Suspect: for ten election timeouts after it the members are awake, and
// notice.
const provenFor = 2

// proven reports whether the voters that are sure have shown lately that they hear
// of each other, so that one of the live ones may be taken away. If not, the
// leader is asked to hand over first.
func proven(c *fleet.Cluster, reason string) (next Next, ok bool) {
	if !c.Spec.GetRaft().GetQuiesce() || len(c.Voters) == 1 ||
		c.LeaderSince != 0 && c.Fleet.State.Tick <= c.LeaderSince+provenFor*c.Fleet.Policy.Suspect {
		return Next{}, true
	}
	leader := c.LeadingMember()
	if leader == nil || !leader.Sure() || successor(c, leader) == nil {
		return Next{Wait: "an election, to see whether all voters hear of it"}, false
	}
	return transfer(c, leader, successor(c, leader), reason+"; who does not hear of the new leader sleeps and is cut off"), false
}

// SPDX-License-Identifier: Apache-2.0

package schedule

import (
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// The members of a cluster with quiesce set sleep while nothing is asked of
// them, and a sleeping member does not notice that it is cut off: it follows the
// old leader indefinitely, in the old term. An election shows it: who does not follow
// in the new term did not hear of it. Its word is good for twice Policy.Suspect:
// for ten election timeouts after it the members are awake, and notice.

// proven reports whether the voters that are sure have shown lately that they hear
// of each other, so that one of the live ones may be taken away. If not, the
// leader is asked to hand over first.
func (p *planner) proven(a *assessment, format string, args ...any) bool {
	if !a.Spec.GetRaft().GetQuiesce() || len(a.voters) == 1 ||
		a.LeaderSince != 0 && p.state.Tick <= a.LeaderSince+2*p.policy.Suspect {
		return true
	}
	var leader, heir *member
	for _, m := range a.voters {
		switch {
		case m.NodeID == a.Leader:
			leader = m
		case heir == nil && m.sure() && !m.leaving && m.Role == pb.MemberRole_VOTER:
			heir = m
		}
	}
	if leader == nil || !leader.sure() || heir == nil {
		p.waits(a.ID, "an election, to see whether all voters hear of it")
		return false
	}
	p.transfer(a, leader, heir, format+"; who does not hear of the new leader sleeps and is cut off", args...)
	return false
}

// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"google.golang.org/protobuf/proto"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule"
)

// judgeDecision makes the decision that a state calls for: with what earlier ones found
// out, and without. It is the same, and says of each cluster that lacks something what it
// waits for. What an index of locations says is what the state says.
func (a *Auditor) judgeDecision(s *db.State) {
	remembered := a.memory.Decide(s, a.policy, a.seed(s))
	full := schedule.Decide(s, a.policy, a.seed(s))
	if d := full.Difference(remembered); d != "" {
		a.breach(decisions, 0, "at index %d Drummer would decide otherwise by what it remembers of earlier decisions than by a look at everything: %s", s.Index, d)
		a.memory = schedule.Memory{}
	}
	for id, c := range s.Clusters.All() {
		is := s.Location(c, a.ttl)
		if said := a.index.Locate(s, id); !proto.Equal(said, is) {
			a.breach(decisions, id, "at index %d cluster %d is located at %v, and the index of locations says %v", s.Index, id, is, said)
		}
		if s.Launched && c.Spec != nil && lacks(is) && full.WaitingFor(id) == "" {
			a.breach(decisions, id, "at index %d cluster %d is not as specified and Drummer does not say what it waits for: %v", s.Index, id, is)
		}
	}
}

// lacks reports whether a cluster has other members than it should, or some that do not
// run.
func lacks(c *pb.ClusterLocation) bool {
	for _, m := range c.GetMembers() {
		if !m.GetRunning() || m.GetRole() != pb.MemberRole_VOTER {
			return true
		}
	}
	return len(c.GetMembers()) != int(c.GetSpec().GetSize())
}

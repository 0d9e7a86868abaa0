// SPDX-License-Identifier: Apache-2.0

package db

import (
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// Reported is what a host last reported of one of its nodes, but for its IDs and
// its membership. It is the one form of that in Go: what a report says is compared
// with what is known and recorded by ReportedBy alone.
type Reported struct {
	Running bool
	Role    pb.MemberRole
	// CaughtUp: it may be promoted. Only nodes that run are.
	CaughtUp bool
	// Leader is the leader that it follows, in Term; 0: none, or it does not run.
	Leader uint64
	Term   uint64
	// RaftDigest is the raftspec.Digest of the Raft configuration it runs with;
	// 0: unknown, or it does not run.
	RaftDigest uint64
}

// digestsSince is the version of DrummerDB's commands since which digests are
// recorded.
const digestsSince = 2

// ReportedBy is what a report says, for a DrummerDB of a version.
func ReportedBy(n *pb.NodeReport, version uint32) Reported {
	r := Reported{Running: n.GetRunning(), Role: n.GetRole()}
	if !r.Running {
		return r
	}
	r.CaughtUp = n.GetCaughtUp()
	if n.GetLeaderId() != 0 {
		r.Leader, r.Term = n.GetLeaderId(), n.GetTerm()
	}
	if version >= digestsSince {
		r.RaftDigest = n.GetRaftDigest()
	}
	return r
}

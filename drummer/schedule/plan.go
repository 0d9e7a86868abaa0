// SPDX-License-Identifier: Apache-2.0

package schedule

import (
	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// Plan is what Decide decided.
type Plan struct {
	// Operations are to be written to DrummerDB in this order, as one
	// Schedule command. Their IDs are given there.
	Operations []*pb.Operation
	// Waiting says, for each cluster that is not as specified and has no
	// operation of its own in Operations, what it waits for; by ClusterID.
	Waiting []Waiting
}

// Waiting is why a cluster can't be brought forward now.
type Waiting struct {
	ClusterID uint64
	For       string
}

// Command is the Schedule command that records the plan made from a state by
// the leader of a term.
func (p Plan) Command(state *db.State, term uint64) *pb.Command {
	return &pb.Command{Body: &pb.Command_Schedule{Schedule: &pb.Schedule{
		Term:           term,
		DecidedAtIndex: state.Index,
		Operations:     p.Operations,
	}}}
}

// SPDX-License-Identifier: Apache-2.0

package schedule

import (
	"slices"

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
	// Blown are the fuses that are blown, in order.
	Blown []db.Fuse
}

// Waiting is why a cluster can't be brought forward now.
type Waiting struct {
	ClusterID uint64
	For       string
}

// FuseCommand is the SetFuses command that records which fuses are blown, by the
// leader of a term; nil when the state has it so.
func (p Plan) FuseCommand(state *db.State, term uint64) *pb.Command {
	if state.Version < 2 || slices.EqualFunc(p.Blown, state.Blown, func(a, b db.Fuse) bool { return a.Compare(b) == 0 }) {
		return nil
	}
	set := &pb.SetFuses{Term: term}
	for _, f := range p.Blown {
		set.Blown = append(set.Blown, f.Proto())
	}
	return &pb.Command{Body: &pb.Command_SetFuses{SetFuses: set}}
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

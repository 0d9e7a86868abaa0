// SPDX-License-Identifier: Apache-2.0

package schedule

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// Plan is what Decide decided.
type Plan struct {
	// Operations are to be written to DrummerDB in this order, as one
	// Schedule command. Their IDs are given there.
	Operations []*pb.Operation
	// Blown are the fuses that are blown, in order.
	Blown []db.Fuse

	waits waits
}

// Waiting says, for each cluster that is not as specified, what it waits for, which
// may be an operation in Operations; by ClusterID.
func (p Plan) Waiting() []Waiting { return p.waits.all() }

// Unhealthy lists the clusters that lack something, wait for something, or have
// something done to them, by ClusterID; all others are as specified, or not Drummer's.
func (p Plan) Unhealthy() []uint64 {
	if p.waits.state == nil {
		return nil
	}
	return p.waits.candidates()
}

// WaitingFor is what one cluster waits for; "": it is as specified, or not Drummer's.
func (p Plan) WaitingFor(clusterID uint64) string {
	if p.waits.state == nil {
		return ""
	}
	return p.waits.of(clusterID)
}

// Difference says how another plan differs; "": it is the same.
func (p Plan) Difference(o Plan) string {
	if len(p.Operations) != len(o.Operations) {
		return fmt.Sprintf("%d operations, not %d", len(o.Operations), len(p.Operations))
	}
	for i, op := range p.Operations {
		if !proto.Equal(op, o.Operations[i]) {
			return fmt.Sprintf("%v, not %v", o.Operations[i], op)
		}
	}
	if !slices.Equal(p.Blown, o.Blown) {
		return fmt.Sprintf("the fuses %v, not %v", o.Blown, p.Blown)
	}
	a, b := p.Waiting(), o.Waiting()
	for i := range max(len(a), len(b)) {
		if i >= len(a) || i >= len(b) || a[i] != b[i] {
			return fmt.Sprintf("%v waiting, not %v", b[min(i, len(b)):min(i+1, len(b))], a[min(i, len(a)):min(i+1, len(a))])
		}
	}
	return ""
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

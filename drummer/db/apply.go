// SPDX-License-Identifier: Apache-2.0

package db

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// Apply makes the state after the command at a log index from the state
// before it. It is deterministic, leaves the old state as it was, and accepts
// any bytes: a command that is malformed, unknown, stale or wrong changes
// nothing but the Index, and the result says so.
func Apply(s *State, index uint64, command []byte) (*State, *pb.CommandResult) {
	e := newEdit(s, index)
	cmd := &pb.Command{}
	if err := proto.Unmarshal(command, cmd); err != nil {
		// the text of protobuf's errors is not stable, so it stays out
		e.refuse(pb.CommandCode_MALFORMED, "the %d bytes are not a command", len(command))
	} else {
		e.apply(cmd)
	}
	if e.result.Code != pb.CommandCode_APPLIED {
		refused := newEdit(s, index)
		refused.result = e.result
		e = refused
	}
	next := e.publish()
	e.result.DeploymentId = next.DeploymentID
	e.result.Term = next.Term
	e.result.Tick = next.Tick
	return next, e.result
}

func (e *edit) apply(cmd *pb.Command) {
	switch body := cmd.Body.(type) {
	case *pb.Command_SetDeployment:
		e.setDeployment(body.SetDeployment)
	case *pb.Command_TakeLeadership:
		e.takeLeadership(body.TakeLeadership)
	case *pb.Command_Tick:
		e.ifTerm(body.Tick.GetTerm(), func() { e.tick(body.Tick) })
	case *pb.Command_Reports:
		e.ifTerm(body.Reports.GetTerm(), func() { e.reports(body.Reports) })
	case *pb.Command_DefineClusters:
		e.defineClusters(body.DefineClusters)
	case *pb.Command_SetLaunched:
		e.setLaunched(body.SetLaunched)
	case *pb.Command_Schedule:
		e.ifTerm(body.Schedule.GetTerm(), func() { e.schedule(body.Schedule) })
	case *pb.Command_UpdateClusters:
		e.updateClusters(body.UpdateClusters)
	case *pb.Command_DeleteClusters:
		e.deleteClusters(body.DeleteClusters)
	case *pb.Command_SetPaused:
		e.setPaused(body.SetPaused)
	case *pb.Command_SetHostMode:
		e.setHostMode(body.SetHostMode)
	case *pb.Command_ForgetHost:
		e.forgetHost(body.ForgetHost)
	case *pb.Command_SetVersion:
		e.setVersion(body.SetVersion)
	case *pb.Command_EndOperation:
		e.ifTerm(body.EndOperation.GetTerm(), func() { e.endOperation(body.EndOperation) })
	case *pb.Command_SetFuses:
		e.since(2, func() { e.ifTerm(body.SetFuses.GetTerm(), func() { e.setFuses(body.SetFuses) }) })
	case *pb.Command_RecoverCluster:
		e.since(2, func() { e.recoverCluster(body.RecoverCluster) })
	case *pb.Command_NoteServerChange:
		e.since(2, func() { e.noteServerChange(body.NoteServerChange) })
	case *pb.Command_Restore:
		e.since(2, func() { e.restore(body.Restore) })
	case *pb.Command_LoseDisk:
		e.since(2, func() { e.ifTerm(body.LoseDisk.GetTerm(), func() { e.loseDisk(body.LoseDisk) }) })
	default:
		e.unknown()
	}
}

// since applies what came with a version once that was let in. Until then it is
// refused as by a program that never heard of it.
func (e *edit) since(version uint32, do func()) {
	if e.s.Version < version {
		e.unknown()
		return
	}
	do()
}

func (e *edit) unknown() {
	e.refuse(pb.CommandCode_UNKNOWN_COMMAND, "this version knows no such command")
}

// refuse makes the command one that changes nothing.
func (e *edit) refuse(code pb.CommandCode, format string, args ...any) {
	e.result.Code = code
	e.result.Detail = fmt.Sprintf(format, args...)
}

// note adds a sentence to the detail of a command that is applied.
func (e *edit) note(format string, args ...any) {
	if e.result.Detail != "" {
		e.result.Detail += " "
	}
	e.result.Detail += fmt.Sprintf(format, args...)
}

// ifTerm does something for the leader of a term. A newer term than the
// known one opens it.
func (e *edit) ifTerm(term uint64, do func()) {
	if term < e.s.Term {
		e.refuse(pb.CommandCode_STALE_TERM,
			"term %d is over, DrummerDB is in term %d", term, e.s.Term)
		return
	}
	if term > e.s.Term {
		e.s.Term = term
		e.s.LeaderNodeID = 0
	}
	do()
}

func (e *edit) setDeployment(cmd *pb.SetDeployment) {
	id := cmd.GetDeploymentId()
	switch {
	case id == 0:
		e.refuse(pb.CommandCode_INVALID, "a deployment ID is not 0")
	case e.s.DeploymentID != 0 && e.s.DeploymentID != id:
		e.refuse(pb.CommandCode_CONFLICT,
			"the deployment ID is %d already", e.s.DeploymentID)
	case e.s.DeploymentID == 0:
		e.s.DeploymentID, e.s.DeploymentEpoch = id, cmd.GetDeploymentEpoch()
		e.event(&pb.Event{Kind: pb.EventDeployment}, "this is deployment %d", id)
	}
}

func (e *edit) takeLeadership(cmd *pb.TakeLeadership) {
	term, server := cmd.GetTerm(), cmd.GetServerNodeId()
	switch {
	case server == 0:
		e.refuse(pb.CommandCode_INVALID, "server node ID 0 can't lead")
	case term < e.s.Term:
		e.refuse(pb.CommandCode_STALE_TERM,
			"term %d is over, DrummerDB is in term %d", term, e.s.Term)
	case term == e.s.Term && e.s.LeaderNodeID != 0 && e.s.LeaderNodeID != server:
		e.refuse(pb.CommandCode_CONFLICT,
			"server %d leads term %d, so server %d can't", e.s.LeaderNodeID, term, server)
	case term != e.s.Term || e.s.LeaderNodeID != server:
		e.s.Term, e.s.LeaderNodeID = term, server
		e.event(&pb.Event{Kind: pb.EventLeader}, "server %d leads in term %d", server, term)
	}
}

func (e *edit) setLaunched(cmd *pb.SetLaunched) {
	if !e.s.Launched {
		e.s.Launched = true
		e.event(&pb.Event{Kind: pb.EventLaunched, By: shorten(cmd.GetBy())}, "the deployment was launched%s", by(cmd.GetBy()))
	}
}

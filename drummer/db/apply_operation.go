// SPDX-License-Identifier: Apache-2.0

package db

import (
	"strings"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// attempt returns the attempt that an operation in flight is of, or nil when
// that was dropped meanwhile.
func (c *Cluster) attempt(op *pb.Operation) *Attempt {
	var a *Attempt
	switch r := op.GetRequest(); r.GetKind() {
	case pb.RequestKind_START_NODE:
		if n := c.Node(r.NodeId); n != nil {
			a = &n.Start
		}
	case pb.RequestKind_DESTROY_NODE:
		if x := c.Replica(r.NodeId, r.NodehostId); x != nil {
			a = &x.Destroy
		}
	default:
		a = &c.Config
	}
	if a == nil || a.Operation != op.GetId() {
		return nil
	}
	return a
}

// ending is how an operation ended.
type ending int

const (
	done    ending = iota
	unknown        // it may have happened
	never          // it certainly did not happen, and will not
)

// closeOperation ends an operation in flight, with an event of a kind that
// says how.
func (e *edit) closeOperation(op *pb.Operation, end ending, ev *pb.Event, how string) {
	e.s.Operations = e.s.Operations.Delete(op.Id)
	c := e.cluster(op.Request.ClusterId)
	if a := c.attempt(op); a != nil {
		a.Operation = 0
		a.Ended = e.s.Tick
		a.Failures++
		if end == done {
			a.Failures = 0
		}
	}
	if n := c.Node(op.Request.NodeId); n != nil && op.Request.Kind == pb.RequestKind_START_NODE {
		n.Unsure = n.Unsure || end != never
		n.Asked = n.Unsure
	}
	if n := c.Node(op.Request.NodeId); n != nil && op.Request.Kind == pb.RequestKind_ADD_OBSERVER && end == never && c.doubtful(n) {
		e.dropNode(c, n.ID)
	}
	e.changed(c)
	e.event(ev, "operation %d (%s) %s", op.Id, Describe(op.Request), how)
}

// overtake ends the operation in flight of an attempt that is about to be
// dropped because what it wanted no longer matters.
func (e *edit) overtake(a Attempt) {
	if op := e.s.Operations.At(a.Operation); op != nil {
		e.closeOperation(op, unknown, operationEvent(pb.EventOperationOvertaken, op), "no longer matters")
	}
}

var endings = map[pb.ResultCode]ending{
	pb.ResultCode_DONE:    done,
	pb.ResultCode_REFUSED: never,
	pb.ResultCode_FAILED:  never,
	pb.ResultCode_UNKNOWN: unknown,
}

// endOperation closes an operation with the result its host gave. A result
// is not taken for a report: whether a node runs is only what its host says
// of it, in the order it says so.
func (e *edit) endOperation(cmd *pb.EndOperation) {
	result := cmd.GetResult()
	op := e.s.Operations.At(result.GetOperationId())
	if op == nil {
		e.refuse(pb.CommandCode_NOT_FOUND, "operation %d is not in flight", result.GetOperationId())
		return
	}
	if _, ok := endings[result.GetCode()]; !ok {
		e.refuse(pb.CommandCode_INVALID, "operation %d ended with code %d, which means nothing",
			op.Id, result.GetCode())
		return
	}
	c := e.cluster(op.Request.ClusterId)
	if result.Membership != nil {
		// this may settle the operation already
		image, err := imageOf(c.ID, result.Membership)
		e.mergeImage(c, image, err)
	}
	if e.s.Operations.At(op.Id) != nil {
		end := endings[result.Code]
		if r := op.Request.Kind; end == done &&
			(r == pb.RequestKind_DESTROY_NODE || r == pb.RequestKind_TRANSFER_LEADER) {
			// It has worked once the zombie is no longer reported, or the new
			// leader is. Until then it counts as a failure, so that what has no
			// effect is not repeated at once, without end.
			end = unknown
		}
		ended := operationEvent(pb.EventOperationEnded, op)
		ended.Code = result.Code
		e.closeOperation(op, end, ended, "ended "+result.Code.String()+detail(result.Detail))
	}
}

func detail(text string) string {
	if text == "" {
		return ""
	}
	return ": " + shorten(text)
}

// maxTextBytes bounds what is kept of somebody's explanation.
const maxTextBytes = 1024

// shorten cuts a text without leaving half a character, which protobuf would
// refuse to encode.
func shorten(text string) string {
	if len(text) <= maxTextBytes {
		return text
	}
	return strings.ToValidUTF8(text[:maxTextBytes], "")
}

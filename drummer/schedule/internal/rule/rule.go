// SPDX-License-Identifier: Apache-2.0

// Package rule says what is wrong with a cluster, and what the next single step
// towards its specification is; one file a rule. A rule goes by the state as it is
// and knows no limits: whether there is room for its step now is the budget's to
// say, and where a new member goes placement's.
//
// No step may take a cluster that has a quorum to one that has none.
package rule

import (
	"fmt"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule/internal/fleet"
)

// Next is what a rule says about a cluster: a step, or what has to be waited for.
// The zero value says nothing.
type Next struct {
	Step *Step
	Wait string
}

// Step is one request, with all that has to be asked of the budget for it.
type Step struct {
	Request *pb.Request
	Reason  string
	// Host carries it out.
	Host *fleet.Host
	// Attempt is what this is another try of, and Retry what the cluster waits for
	// until the next one may begin. Nil: the rule's caller has seen to that.
	Attempt *db.Attempt
	Retry   string
	// Starts is the node that this starts; nil: it starts none.
	Starts *db.Node
	// NeedsWord: only a host that was heard of just now is asked.
	NeedsWord bool
	// What it is, as in 'a free slot on h1, to start node 3'. "": the cluster does
	// not wait for it.
	What string
}

func wait(format string, args ...any) Next { return Next{Wait: fmt.Sprintf(format, args...)} }

// maxTransfers is how often a leader tries in vain to hand over before it is
// removed, or restarted, all the same.
const maxTransfers = 2

// transfer has a leader hand over to another voter.
func transfer(c *fleet.Cluster, from, to *fleet.Member, reason string) Next {
	return Next{Step: &Step{
		Request: &pb.Request{Kind: pb.RequestKind_TRANSFER_LEADER, NodeId: to.NodeID, NodehostId: from.Host.ID(),
			ConfigChangeId: c.Image.CCID},
		Reason:  reason,
		Host:    from.Host,
		Attempt: &c.Config,
		Retry:   fmt.Sprintf("word of a leader other than node %d", from.NodeID),
		What:    "hand over leadership",
	}}
}

// Transfer is the step by which leadership moves for balance.
func Transfer(c *fleet.Cluster, from, to *fleet.Member, reason string) Next {
	return transfer(c, from, to, reason)
}

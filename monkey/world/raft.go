// SPDX-License-Identifier: Apache-2.0

package world

import "fmt"

// RaftNode is what a Raft node holds, looked at from outside of Raft.
type RaftNode struct {
	ClusterID  uint64
	NodeID     uint64
	Role       string // follower, candidate, leader, observer or witness
	Term       uint64
	Vote       uint64 // NodeID; 0: for nobody in this term
	LeaderID   uint64 // whom it follows; 0: nobody
	FirstIndex uint64 // of its log; entries before that are in a snapshot
	LastIndex  uint64 // of its log
	Committed  uint64 // index
	Ticks      uint64 // of Dragonboat's clock since the node was started
	Applied    uint64 // index that its state machine has come to
}

// String is a line for people.
func (n RaftNode) String() string {
	return fmt.Sprintf("%s in term %d following node %d, last index %d, commit %d, applied %d",
		n.Role, n.Term, n.LeaderID, n.LastIndex, n.Committed, n.Applied)
}

// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"github.com/drumbeat-raft/drumbeat/monkey/rundir"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// softSettingsFile is where Dragonboat looks, in the working directory of its
// process, for settings of its own.
const softSettingsFile = "dragonboat-soft-settings.json"

// softSettings are those of Dragonboat's settings that a scenario gives, and those that
// cost a simulation of many small, quiet clusters the most. Dragonboat makes all of these queues and
// slices when a node starts, at their full length. docs/performance.md has what
// each is worth.
type softSettings struct {
	// Entries in memory are allocated in slices of this length.
	InMemEntrySliceSize   uint64
	MinEntrySliceFreeSize uint64
	// The queues of a node: messages from its peers, and what clients ask. What
	// does not fit is dropped, or refused as too busy.
	ReceiveQueueLength           uint64
	IncomingProposalQueueLength  uint64
	IncomingReadIndexQueueLength uint64
	// SendQueueLength is that of the queue of each of a host's four connections to
	// each other one. What does not fit is dropped.
	SendQueueLength uint64
	// PendingProposalShards is how many locks and random sources a node has for
	// its open proposals.
	PendingProposalShards uint64
	// NodeReloadMillisecond is how often workers look at all of their nodes,
	// whether they were notified or not. It catches nothing that the ticks of
	// Raft do not wake as well.
	NodeReloadMillisecond uint64
	// MaxEntrySize is what the scenario says; 0: Dragonboat's.
	MaxEntrySize uint64 `json:",omitempty"`
}

const (
	// minQueueLength is the least length of a node's queues of what clients ask.
	// DrummerDB's hold 128 proposals of its leader at once.
	minQueueLength = 256
	// receiveQueueLength is that of its queue of messages, which are 280 bytes each, twice.
	// They wait there only while other nodes of the same worker take their steps.
	receiveQueueLength = 128
	// entrySliceLength is that of the slices that hold entries in memory, which are
	// allocated anew each time that entries were applied and dropped.
	entrySliceLength = 24
)

// messagesOfCluster is how many messages of one cluster may wait on one
// connection. A quarter of the clusters shares it, so that each has four times
// this: a heartbeat, a replication, a vote, and their answers.
const messagesOfCluster = 2

// writeSoftSettings puts them where the child will start.
func writeSoftSettings(dir string, s *scenarios.Scenario) error {
	queue := uint64(max(minQueueLength, s.Workload.Clients*s.Workload.Open)) // all of them may ask one node
	return rundir.WriteJSON(dir, softSettingsFile, softSettings{
		InMemEntrySliceSize: entrySliceLength, MinEntrySliceFreeSize: entrySliceLength / 4,
		ReceiveQueueLength: receiveQueueLength, IncomingProposalQueueLength: queue, IncomingReadIndexQueueLength: queue,
		SendQueueLength:       max(queue, uint64(messagesOfCluster*s.Clusters.Count)),
		PendingProposalShards: 2, NodeReloadMillisecond: 1000, MaxEntrySize: uint64(s.Deployment.MaxEntrySize),
	})
}

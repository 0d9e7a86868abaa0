// SPDX-License-Identifier: Apache-2.0

package raftstate

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"

	"github.com/lni/dragonboat/v3"
	"github.com/lni/dragonboat/v3/raftpb"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// Details is what Look finds besides what Read does.
type Details struct {
	world.RaftNode
	// Members is the membership as its state machine has it.
	Members raftpb.Membership
	// Followers is how far a leader knows the others to be, by NodeID; of a
	// follower it is out of date.
	Followers []Follower
	// Proposals counts those made here that are not completed, Messages those
	// received that Raft has not looked at.
	Proposals, Messages int
	// Machine is the application's state machine.
	Machine any
}

// Follower is what a node knows of another member.
type Follower struct {
	NodeID      uint64
	Match, Next uint64 // indexes
	State       string // retry, wait, replicate or snapshot
	Active      bool   // heard of since the last check of the quorum
}

// Read returns what each Raft node of a NodeHost holds, by ClusterID. It takes
// the locks of the nodes for a moment.
func Read(nh *dragonboat.NodeHost) ([]world.RaftNode, error) {
	details, err := read(nh, true)
	var nodes []world.RaftNode
	for _, d := range details {
		nodes = append(nodes, d.RaftNode)
	}
	return nodes, err
}

// Look is Read with all details and without a lock, for a NodeHost of which no
// goroutine runs.
func Look(nh *dragonboat.NodeHost) ([]Details, error) { return read(nh, false) }

func read(nh *dragonboat.NodeHost, running bool) (nodes []Details, err error) {
	defer func() {
		if p := recover(); p != nil {
			missing, ok := p.(missingField)
			if !ok {
				panic(p)
			}
			nodes, err = nil, fmt.Errorf("look into Dragonboat: this version of it has no field %s in %s", missing.name, missing.in)
		}
	}()
	clusters := at(reflect.ValueOf(nh), "mu", "clusters").Addr().Interface().(*sync.Map)
	clusters.Range(func(_, node any) bool {
		nodes = append(nodes, readNode(reflect.ValueOf(node), running))
		return true
	})
	slices.SortFunc(nodes, func(a, b Details) int {
		return cmp.Or(cmp.Compare(a.ClusterID, b.ClusterID), cmp.Compare(a.NodeID, b.NodeID))
	})
	return nodes, nil
}

// roles are the names of Dragonboat's states of a node, by their numbers.
var roles = []string{"follower", "candidate", "leader", "observer", "witness"}

// states are the names of its states of another member.
var states = []string{"retry", "wait", "replicate", "snapshot"}

func name(names []string, number uint64) string {
	if number < uint64(len(names)) {
		return names[number]
	}
	return fmt.Sprintf("unknown (%d)", number)
}

func readNode(node reflect.Value, running bool) Details {
	d := Details{RaftNode: world.RaftNode{ClusterID: number(node, "clusterID"), NodeID: number(node, "nodeID")}}
	locked(running, at(node, "raftMu"), func() { d.Ticks = number(node, "currentTick") })
	machine := at(node, "sm")
	locked(running, at(machine, "lastApplied", "Mutex"), func() { d.Applied = number(machine, "lastApplied", "index") })
	locked(running, at(node, "raftMu"), func() { d.readRaft(node, running) })
	if running {
		return d
	}
	d.Members = *at(machine, "members", "members").Interface().(*raftpb.Membership)
	d.Messages = int(number(node, "mq", "idx"))
	shards := at(node, "pendingProposals", "shards")
	for i := range shards.Len() {
		d.Proposals += at(shards.Index(i), "pending").Len()
	}
	d.Machine = at(machine, "sm", "sm", "sm").Interface()
	return d
}

// readRaft reads what the lock of the node guards. A node that was only just
// made has no Raft yet.
func (d *Details) readRaft(node reflect.Value, running bool) {
	reader := at(node, "logReader")
	locked(running, at(reader, "Mutex"), func() {
		d.FirstIndex = number(reader, "markerIndex") + 1
		d.LastIndex = number(reader, "markerIndex") + number(reader, "length") - 1
	})
	if at(node, "p").IsNil() {
		d.Role = "starting"
		return
	}
	raft := at(node, "p", "raft")
	d.Role = name(roles, number(raft, "state"))
	d.Term, d.Vote, d.LeaderID = number(raft, "term"), number(raft, "vote"), number(raft, "leaderID")
	d.Committed = number(raft, "log", "committed")
	if entries := at(raft, "log", "inmem", "entries"); entries.Len() > 0 {
		d.LastIndex = entries.Index(entries.Len() - 1).Interface().(raftpb.Entry).Index
	} else if s := at(raft, "log", "inmem", "snapshot").Interface().(*raftpb.Snapshot); s != nil {
		d.LastIndex = s.Index
	}
	for _, members := range []string{"remotes", "observers", "witnesses"} {
		for others := at(raft, members).MapRange(); others.Next(); {
			other := others.Value()
			d.Followers = append(d.Followers, Follower{NodeID: others.Key().Uint(), Match: number(other, "match"),
				Next: number(other, "next"), State: name(states, number(other, "state")), Active: at(other, "active").Bool()})
		}
	}
	slices.SortFunc(d.Followers, func(a, b Follower) int { return cmp.Compare(a.NodeID, b.NodeID) })
}

// locked calls f, with a mutex locked if others may run.
func locked(running bool, mutex reflect.Value, f func()) {
	if running {
		mu := mutex.Addr().Interface().(sync.Locker)
		mu.Lock()
		defer mu.Unlock()
	}
	f()
}

// Voters are the NodeIDs of the voting members, in order.
func (d *Details) Voters() []uint64 { return slices.Sorted(maps.Keys(d.Members.Addresses)) }

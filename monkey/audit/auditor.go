// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"fmt"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/invariant"
	"github.com/drumbeat-raft/drumbeat/drummer/db"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule"
)

// The checks that the audit makes findings for.
const (
	soundness = "soundness"
	eventLog  = "event_log"
	promises  = "promises"
	awareness = "awareness"
	decisions = "decisions"
)

// Server is a Drummer server that runs.
type Server struct {
	Host  string
	State *db.State
	// At returns what the server had published at an index; nil when it has it no
	// more, or published no state there.
	At func(index uint64) *db.State
}

// Key names a Raft node.
type Key struct{ Cluster, Node uint64 }

// Host is the truth about a NodeHost whose process runs.
type Host struct {
	Address string // RaftAddress
	ID      string // NodeHost ID
	// Server is the host of the Drummer server that its agent is attached to; "": none.
	Server string
	// Paused: the process is there and does nothing.
	Paused bool
	Nodes  map[Key]Node
	// Stored are the nodes that have a log on the disk; nil: nobody looked.
	Stored map[Key]bool
	// Taken are the operations that its agent has taken up in this process, Answered those
	// of them that it has a result of.
	Taken, Answered map[uint64]bool
}

// Node is the truth about a Raft node that runs.
type Node struct {
	Leader    uint64 // whom it follows; 0: nobody
	Applied   uint64 // index
	Committed uint64 // index, as far as it knows
	CCID      uint64 // of Voters; 0: it has applied none yet
	Voters    map[uint64]string
}

// Truth is one look at the fleet.
type Truth struct {
	Leader string // the host of the Drummer server that leads; "": none, or more than one
	Hosts  []Host // in a fixed order
	// Hampered: something slows messages, disks or clocks down, or loses some of what is
	// sent, without ending anything. How long Drummer takes says nothing then.
	Hampered bool
}

// maxBreaches is how many of each check are kept: what comes later follows from them.
const maxBreaches = 5

// Auditor follows DrummerDB. The zero value is not ready for use.
type Auditor struct {
	ttl    uint64          // in ticks
	slack  time.Duration   // more that Drummer may take, where disks are slow
	policy schedule.Policy // that the servers go by
	seed   func(*db.State) uint64

	record   invariant.Audit
	now      time.Duration
	truth    Truth
	servers  []Server
	last     *db.State
	states   map[uint64]*db.State // followed lately, by index
	memory   schedule.Memory
	index    *db.Index
	kept     *db.State // whose digest is keptSum
	keptSum  string
	checkAt  time.Duration
	ids      map[Key]identity
	terms    map[string]map[uint64]bool // by address: the terms whose leader a host was seen attached to
	pending  []expected
	changes  [2]time.Duration // when the last two terms of DrummerDB began
	done     []claimed
	promoted []*operation // since the last look
	hosts    map[string]*watchedHost
	clusters map[uint64]*watchedCluster
	lasting  map[string]time.Duration // since when something has been wrong
}

// syncs is how many syncs of a disk may come between what happens and what DrummerDB says
// of it: those of its own log, and of all nodes whose host the disk is.
const syncs = 100

// New begins an audit of servers that go by a policy, and by a seed for each state. Hosts
// are dead after ttl ticks without a word. Few syncs of a disk take longer than sync.
func New(ttl uint64, policy schedule.Policy, seed func(*db.State) uint64, sync time.Duration) *Auditor {
	return &Auditor{
		ttl: ttl, slack: syncs * sync, policy: policy, seed: seed, record: invariant.Audit{Breaches: []invariant.DrummerBreach{}},
		states: map[uint64]*db.State{}, index: db.NewIndex(ttl), ids: map[Key]identity{},
		terms: map[string]map[uint64]bool{}, hosts: map[string]*watchedHost{}, clusters: map[uint64]*watchedCluster{}, lasting: map[string]time.Duration{},
	}
}

// Record is what was seen so far.
func (a *Auditor) Record() *invariant.Audit { return &a.record }

// breach notes what Drummer should not have done; cluster 0: it is about no cluster.
func (a *Auditor) breach(check string, cluster uint64, format string, args ...any) {
	n := 0
	for _, b := range a.record.Breaches {
		if b.Check == check {
			n++
		}
	}
	if n < maxBreaches {
		a.record.Breaches = append(a.record.Breaches, invariant.DrummerBreach{Check: check, At: int64(a.now), Cluster: cluster, Text: fmt.Sprintf(format, args...)})
	}
}

// stateEvery is the time between two looks at all that one state says: it is more work
// than to follow what changes.
const stateEvery = 15 * time.Second

// Glance is Look for what happens within moments: of the truth it needs who is attached to
// whom alone.
func (a *Auditor) Glance(now time.Duration, servers []Server, truth Truth) {
	a.now, a.servers = now, servers
	if !a.catchUp() {
		return
	}
	a.noteAttached(truth)
	if truth.Hampered {
		a.startAnew()
		return
	}
	a.judgeWarmth(truth)
}

// startAnew forgets since when anything has been so.
func (a *Auditor) startAnew() {
	a.pending = nil
	clear(a.lasting)
	for _, w := range a.hosts {
		w.since, w.tick = a.now, a.last.Tick
		clear(w.wrong)
	}
	for _, w := range a.clusters {
		w.since = a.now
	}
	for i := range a.done {
		a.done[i].until = a.now + a.known()
	}
}

// catchUp follows what the servers have applied; false: none has applied anything.
func (a *Auditor) catchUp() bool {
	newest := a.newest()
	if newest == nil {
		return false
	}
	if a.last != nil && newest.State.DeploymentEpoch != a.last.DeploymentEpoch && newest.State.Index < a.last.Index {
		a.begin() // these servers have begun anew
	}
	if a.last == nil {
		a.last = newest.State
		a.keep(newest.State)
		for id, c := range newest.State.Clusters.All() {
			a.judgeNodeIDs(newest.State, id, nil, c)
		}
	}
	for index := a.last.Index + 1; index <= newest.State.Index; index++ {
		if next := newest.At(index); next != nil {
			a.follow(a.last, next)
			a.last = next
		}
	}
	return true
}

// begin forgets all that was seen of a DrummerDB.
func (a *Auditor) begin() {
	a.last, a.kept, a.pending, a.done, a.promoted, a.memory, a.index = nil, nil, nil, nil, nil, schedule.Memory{}, db.NewIndex(a.ttl)
	clear(a.states)
	clear(a.ids)
	clear(a.terms)
	clear(a.lasting)
	for _, h := range a.hosts {
		clear(h.wrong)
	}
}

// Look follows what the servers have applied since the last call, with the truth as it
// is now, at a time since the start of the run. It is to be called about once a tick.
func (a *Auditor) Look(now time.Duration, servers []Server, truth Truth) {
	a.now, a.servers, a.truth = now, servers, truth
	a.record.Looks++
	if !a.catchUp() {
		return
	}
	a.watchHosts()
	a.noteAttached(truth)
	if truth.Hampered {
		a.startAnew()
		a.promoted = nil
	}
	a.judgeWarmth(truth)
	a.judgePromotions()
	a.judgeAwareness()
	a.judgeDelivery()
	if now >= a.checkAt {
		a.checkAt = now + stateEvery
		a.judgeState(a.last)
	}
	a.judgeDecision(a.last)
}

// newest is the server that has applied most.
func (a *Auditor) newest() *Server {
	var newest *Server
	for i := range a.servers {
		if s := &a.servers[i]; s.State != nil && (newest == nil || s.State.Index > newest.State.Index) {
			newest = s
		}
	}
	return newest
}

// keptStates is how many indexes back a decision may have been made.
const keptStates = 500

func (a *Auditor) keep(s *db.State) {
	a.states[s.Index] = s
	delete(a.states, s.Index-keptStates)
}

// at is a state as of an index, or nil when no server has it.
func (a *Auditor) at(index uint64) *db.State {
	if s := a.states[index]; s != nil {
		return s
	}
	for _, server := range a.servers {
		if s := server.At(index); s != nil {
			return s
		}
	}
	return nil
}

// follow judges what commands made of a state: one, or a few that were applied together.
func (a *Auditor) follow(before, after *db.State) {
	a.record.States++
	if before.Term != after.Term {
		a.changes = [2]time.Duration{a.changes[1], a.now}
	}
	a.keep(after)
	if restored(before, after) {
		clear(a.ids) // what follows is what another DrummerDB once was
		return
	}
	told := eventsBetween(before, after)
	a.judgeEvents(before, after, told)
	a.judgeStep(before, after)
	a.judgeReturns(before, after, told)
	a.awaitEffects(before, after, told)
	a.judgeTold(before, after, told)
	for id, op := range after.Operations.All() {
		if id >= before.NextOperationID {
			a.record.Operations++
			a.judgeOperation(after, op)
		}
	}
}

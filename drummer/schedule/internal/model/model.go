// SPDX-License-Identifier: Apache-2.0

package model

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule"
)

// Fleet is a model of a fleet under a Drummer: hosts with disks, Raft groups
// reduced to what matters here (who is a member, who runs, who may commit),
// agents, and two replicas of DrummerDB fed the same bytes. It knows the truth, so
// it notices when Drummer does harm. It is not safe for concurrent use.
type Fleet struct {
	Policy schedule.Policy
	Seed   uint64
	Now    uint64 // in ticks of the fleet; DrummerDB's clock stops without a leader

	// State and Twin are the two replicas of DrummerDB.
	State *db.State
	Twin  *db.State
	index uint64
	term  uint64

	Leaderless bool // no Drummer server leads: nothing is written
	// heardOf are the hosts heard of since there is a leader again; nil: there was
	// one all the time.
	heardOf map[string]bool
	memory  schedule.Memory   // of the leaders, one after the other
	Hosts   map[string]*Host  // by Name
	Groups  map[uint64]*Group // by ClusterID
	// firstDisk is the disk that each node first ran on.
	firstDisk map[NodeKey]string
	results   []*pb.RequestResult
	delivered map[uint64]bool // operations that their host was asked for
	// decided is when each operation was decided.
	decided map[uint64]uint64
	// given is the address that each NodeID was given to.
	given map[NodeKey]string
	// initial are the members that the last placement of each cluster was started
	// with.
	initial map[uint64]map[uint64]string
	// ended are the NodeIDs, by cluster, below which all belong to a cluster
	// that was deleted.
	ended map[uint64]uint64

	// JoinTicks is how long an observer takes to catch up; Faults decides what
	// the network does. Both may be changed at any time.
	JoinTicks uint64
	Faults    Faults
	// NoQuorumChecks keeps leaders that are cut off from stepping down, whatever
	// their cluster's specification says.
	NoQuorumChecks bool
	// sleepAfter is how long it takes a cluster that quiesces to fall asleep.
	sleepAfter uint64

	// Log has what happened, in order. Violations has a line for each promise
	// that Drummer did not keep.
	Log        []string
	Violations []string
}

// Faults are what goes wrong between Drummer and the hosts. Each function is
// asked once for each message; nil: nothing goes wrong.
type Faults struct {
	LoseRequest func() bool
	LoseResult  func() bool
	LoseReport  func() bool
	// Result is the code that a request ends with, without effect; 0: it is
	// carried out.
	Result func(*pb.Operation) pb.ResultCode
}

// NodeKey names a Raft node.
type NodeKey struct{ ClusterID, NodeID uint64 }

// Host is a NodeHost: a process that may run, and a disk.
type Host struct {
	Name     string // also its address
	ID       string // NodeHost ID, of the disk
	wipes    int
	Region   string
	Labels   map[string]string
	Weight   uint32
	Up       bool
	Cut      bool   // off from Drummer, not from the other hosts
	Isolated bool   // from the other hosts, not from Drummer
	since    uint64 // when Up, Cut or Isolated last changed
	// known is when Drummer first knew what the host knew, after that; 0: not yet.
	known uint64
	Nodes map[NodeKey]*Node
	// Reported is what Drummer was last told; nil: nothing in this process's
	// life, so that the next report is a full one.
	Reported map[NodeKey]*pb.NodeReport
}

// Node is a Raft node on a disk, running or not.
type Node struct {
	Key         NodeKey
	join        pb.JoinMode
	Running     bool
	image       *db.Image // the membership it has applied; nil: none
	started     uint64    // when it last started
	digest      uint64    // of the Raft configuration it runs with
	checkQuorum bool      // by that configuration
	leader      uint64    // the leader it follows
	term        uint64
	awake       uint64 // when it last took part in something
	CaughtUp    bool
	// everCaughtUp: it did at some time since it was added.
	everCaughtUp bool
	Foreign      bool // of a group that is not Drummer's
}

// Group is the truth about a cluster.
type Group struct {
	ID uint64
	// Image is what was committed; nil until a majority of the first members
	// ran at the same time.
	Image  *db.Image
	life   uint64 // the first NodeID
	leader uint64
	term   uint64
	// awake is when the cluster last did something. After sleepAfter its members
	// sleep, if it quiesces.
	awake uint64
}

// New makes a fleet without hosts, in which no Drummer server has led yet.
func New(policy schedule.Policy, seed uint64) *Fleet {
	return &Fleet{
		Policy:     policy,
		Seed:       seed,
		State:      db.NewState(),
		Twin:       db.NewState(),
		term:       1,
		Hosts:      map[string]*Host{},
		Groups:     map[uint64]*Group{},
		firstDisk:  map[NodeKey]string{},
		delivered:  map[uint64]bool{},
		decided:    map[uint64]uint64{},
		given:      map[NodeKey]string{},
		initial:    map[uint64]map[uint64]string{},
		ended:      map[uint64]uint64{},
		JoinTicks:  2,
		sleepAfter: 2 * policy.Suspect,
	}
}

// AddHost adds a host that runs.
func (w *Fleet) AddHost(name, region string) *Host {
	m := &Host{Name: name, ID: name, Region: region, Up: true, Nodes: map[NodeKey]*Node{}}
	w.Hosts[name] = m
	return m
}

// LoseDrummerDB replaces DrummerDB by an empty one, under a new leader.
func (w *Fleet) LoseDrummerDB() {
	w.State, w.Twin, w.index = db.NewState(), db.NewState(), 0
	w.given = map[NodeKey]string{} // those that never ran are forgotten, and no harm is done
	w.ChangeLeader()
}

// Violate records a promise that Drummer did not keep.
func (w *Fleet) Violate(format string, args ...any) {
	w.Violations = append(w.Violations, fmt.Sprintf("t%d: ", w.Now)+fmt.Sprintf(format, args...))
}

func (w *Fleet) note(format string, args ...any) {
	w.Log = append(w.Log, fmt.Sprintf("t%d ", w.State.Tick)+fmt.Sprintf(format, args...))
}

// Write proposes a command and applies it to both replicas.
func (w *Fleet) Write(cmd *pb.Command) *pb.CommandResult {
	data, err := proto.Marshal(cmd)
	if err != nil {
		panic(err)
	}
	w.index++
	before := w.State
	next, result := db.Apply(w.State, w.index, data)
	twin, twinResult := db.Apply(w.Twin, w.index, data)
	w.State, w.Twin = next, twin
	if !proto.Equal(result, twinResult) {
		w.Violate("two replicas gave different results for %v", cmd)
	}
	w.noteEvents(before)
	return result
}

func (w *Fleet) noteEvents(before *db.State) {
	for _, ev := range w.State.EventsAfter(before.NextEventSequence-1, db.MaxEvents) {
		switch ev.Kind {
		case pb.EventOperationPlanned:
			op := w.State.Operations.At(ev.OperationId)
			w.decided[op.Id] = w.Now
			w.note("%s — %s", db.Describe(op.Request), op.Reason)
		case pb.EventOperationDropped, pb.EventOperationExpired, pb.EventOperationOvertaken,
			pb.EventHostGone, pb.EventClusterAdopted, pb.EventClusterForeign, pb.EventFuseBlown, pb.EventFuseWhole:
			w.note("%s: %s", ev.Kind, ev.Text)
		}
	}
}

func (w *Fleet) Define(specs ...*pb.ClusterSpec) *pb.CommandResult {
	return w.Write(&pb.Command{Body: &pb.Command_DefineClusters{DefineClusters: &pb.DefineClusters{Specs: specs}}})
}

func (w *Fleet) Delete(clusters ...uint64) *pb.CommandResult {
	next := map[uint64]uint64{}
	for _, id := range clusters {
		if c := w.State.Clusters.At(id); c != nil {
			next[id] = c.NextNodeID
		}
	}
	r := w.Write(&pb.Command{Body: &pb.Command_DeleteClusters{
		DeleteClusters: &pb.DeleteClusters{ClusterIds: clusters}}})
	if r.Code == pb.CommandCode_APPLIED {
		for _, id := range clusters {
			delete(w.Groups, id)
			w.ended[id] = max(w.ended[id], next[id])
		}
	}
	return r
}

func (w *Fleet) SetMode(id string, mode pb.HostMode) *pb.CommandResult {
	return w.Write(&pb.Command{Body: &pb.Command_SetHostMode{
		SetHostMode: &pb.SetHostMode{NodehostId: id, Mode: mode}}})
}

func (w *Fleet) Pause(paused bool, why string) {
	w.Write(&pb.Command{Body: &pb.Command_SetPaused{SetPaused: &pb.SetPaused{Paused: paused, Reason: why}}})
}

func (w *Fleet) Launch() {
	w.Write(&pb.Command{Body: &pb.Command_SetLaunched{SetLaunched: &pb.SetLaunched{}}})
}

// ChangeLeader makes another Drummer server the leader.
func (w *Fleet) ChangeLeader() {
	w.term++
	w.delivered = map[uint64]bool{} // the new leader pushes what is in flight again
	w.Write(&pb.Command{Body: &pb.Command_TakeLeadership{
		TakeLeadership: &pb.TakeLeadership{Term: w.term, ServerNodeId: w.term%3 + 1}}})
	if w.State.Version < db.Version {
		w.Write(&pb.Command{Body: &pb.Command_SetVersion{SetVersion: &pb.SetVersion{Version: db.Version}}})
	}
	for _, m := range w.Hosts {
		m.Reported = nil // and every host says Hello to it
	}
}

// Step lets one tick pass: hosts act, Raft groups move, Drummer hears,
// decides and asks.
func (w *Fleet) Step() {
	w.Now++
	for _, id := range slices.Sorted(maps.Keys(w.initial)) {
		w.form(id, w.initial[id])
	}
	for _, g := range w.sortedGroups() {
		w.raft(g)
	}
	if w.Leaderless {
		w.heardOf = map[string]bool{}
	} else {
		w.Hear()
		if w.warmedUp() {
			w.decide()
		}
		w.ask()
	}
	if err := w.State.Check(); err != nil {
		w.Violate("DrummerDB contradicts itself: %v", err)
	}
}

// Hear writes the tick, the results and the reports of this moment.
func (w *Fleet) Hear() {
	tick := &pb.Tick{Term: w.term, TimeToLive: w.Policy.TTL}
	reports := &pb.HostReports{Term: w.term}
	for _, m := range w.SortedHosts() {
		if !m.Up || m.Cut {
			m.Reported = nil
			continue
		}
		if m.Reported != nil {
			tick.Heard = append(tick.Heard, m.ID)
		}
		r := m.report()
		if r != nil && !ask(w.Faults.LoseReport) {
			reports.Reports = append(reports.Reports, r)
			m.Reported = m.facts()
			r = nil
		}
		if r == nil && m.known == 0 && w.Now > m.since+1 {
			m.known = w.Now
		}
	}
	for id, h := range w.State.Hosts.All() {
		if !h.Silent && !slices.Contains(tick.Heard, id) {
			tick.Silent = append(tick.Silent, &pb.SilentHost{NodehostId: id, Ticks: 1})
		}
	}
	for _, id := range tick.Heard {
		w.meet(id)
	}
	for _, r := range reports.Reports {
		w.meet(r.Host.NodehostId)
	}
	answer := w.Write(&pb.Command{Body: &pb.Command_Tick{Tick: tick}})
	results := w.results
	w.results = nil
	for _, r := range results {
		if !ask(w.Faults.LoseResult) {
			w.Write(&pb.Command{Body: &pb.Command_EndOperation{
				EndOperation: &pb.EndOperation{Term: w.term, Result: r}}})
		}
	}
	if len(reports.Reports) > 0 {
		w.Write(&pb.Command{Body: &pb.Command_Reports{Reports: reports}})
	}
	for _, m := range w.Hosts {
		if slices.Contains(answer.NeedFullState, m.ID) {
			m.Reported = nil
		}
	}
}

func ask(f func() bool) bool { return f != nil && f() }

func (w *Fleet) meet(id string) {
	if w.heardOf != nil {
		w.heardOf[id] = true
	}
}

// warmedUp reports whether a leader may decide: after a time without one, which
// aged nobody, not before it has heard every host that should be up, or lets
// go of it.
func (w *Fleet) warmedUp() bool {
	for id, h := range w.State.Hosts.All() {
		if w.heardOf != nil && !w.heardOf[id] && w.State.HostState(h, w.Policy.Suspect) == pb.NodeHostState_UP {
			return false
		}
	}
	w.heardOf = nil
	return true
}

// Plan is the Schedule command that the present leader would write now.
func (w *Fleet) Plan() *pb.Command {
	return schedule.Decide(w.State, w.Policy, w.Seed).Command(w.State, w.term)
}

// decide writes the next plan.
func (w *Fleet) decide() {
	from := w.State
	plan := w.memory.Decide(from, w.Policy, w.Seed)
	if difference := schedule.Decide(from, w.Policy, w.Seed).Difference(plan); difference != "" {
		w.Violate("a decision that goes by what was found out before is another one than in full: %s", difference)
	}
	w.checkHealthy(plan)
	w.checkPromises(from, plan)
	if cmd := plan.FuseCommand(from, w.term); cmd != nil {
		w.Write(cmd)
	}
	if plan.FuseCommand(w.State, w.term) != nil {
		w.Violate("the blow of a fuse would be told twice")
	}
	if len(plan.Operations) > 0 {
		if r := w.Write(plan.Command(from, w.term)); r.Dropped > 0 {
			w.Violate("%d of the scheduler's own fresh decisions were dropped", r.Dropped)
		}
	}
}

// checkHealthy makes sure that who goes by Plan.Unhealthy misses nobody.
func (w *Fleet) checkHealthy(plan schedule.Plan) {
	unhealthy := plan.Unhealthy()
	for id, c := range w.State.Clusters.All() {
		if _, listed := slices.BinarySearch(unhealthy, id); listed || c.Spec == nil {
			continue
		}
		if l := w.State.Location(c, w.Policy.TTL); !l.Available || len(l.Members) != int(c.Spec.Size) || plan.WaitingFor(id) != "" {
			w.Violate("cluster %d is not as specified, and not among the unhealthy: %v", id, l)
		}
	}
}

// ask delivers the operations in flight to their hosts.
func (w *Fleet) ask() {
	for id, op := range w.State.Operations.All() {
		m := w.byID(op.Request.NodehostId)
		if w.delivered[id] || m == nil || !m.Up || m.Cut || ask(w.Faults.LoseRequest) {
			continue
		}
		w.delivered[id] = true
		result := w.carryOut(m, op)
		if result != nil {
			result.OperationId = id
			w.results = append(w.results, result)
		}
	}
}

func (w *Fleet) byID(id string) *Host {
	for _, m := range w.Hosts {
		if m.ID == id {
			return m
		}
	}
	return nil
}

func (w *Fleet) SortedHosts() []*Host {
	return slices.SortedFunc(maps.Values(w.Hosts), func(a, b *Host) int { return cmp.Compare(a.Name, b.Name) })
}

func (w *Fleet) sortedGroups() []*Group {
	return slices.SortedFunc(maps.Values(w.Groups), func(a, b *Group) int { return cmp.Compare(a.ID, b.ID) })
}

// SortedNodes are the nodes on its disk, by ClusterID and NodeID.
func (m *Host) SortedNodes() []*Node {
	return slices.SortedFunc(maps.Values(m.Nodes), func(a, b *Node) int {
		return cmp.Or(cmp.Compare(a.Key.ClusterID, b.Key.ClusterID), cmp.Compare(a.Key.NodeID, b.Key.NodeID))
	})
}

// facts is what the host would say in full.
func (m *Host) facts() map[NodeKey]*pb.NodeReport {
	facts := map[NodeKey]*pb.NodeReport{}
	for _, n := range m.SortedNodes() {
		r := &pb.NodeReport{ClusterId: n.Key.ClusterID, NodeId: n.Key.NodeID, Running: n.Running, CaughtUp: n.CaughtUp}
		if n.Running {
			r.LeaderId, r.Term, r.RaftDigest = n.leader, n.term, n.digest
		}
		if n.Running && n.image != nil {
			r.Membership = n.image.Proto(n.Key.ClusterID)
			if x := n.image.Member(n.Key.NodeID); x != nil {
				r.Role = x.Role
			}
		}
		facts[n.Key] = r
	}
	return facts
}

// report is what the host says now: all at first, then what changed; nil when
// nothing did.
func (m *Host) report() *pb.HostReport {
	r := &pb.HostReport{Host: &pb.NodeHostInfo{
		NodehostId: m.ID, RaftAddress: m.Name, Region: m.Region, Labels: m.Labels, Weight: m.Weight}}
	facts := m.facts()
	r.Full = m.Reported == nil
	for _, n := range m.SortedNodes() {
		if f := facts[n.Key]; r.Full || !proto.Equal(f, m.Reported[n.Key]) {
			r.Nodes = append(r.Nodes, f)
		}
	}
	for k := range m.Reported {
		if facts[k] == nil {
			r.Gone = append(r.Gone, &pb.NodeKey{ClusterId: k.ClusterID, NodeId: k.NodeID})
		}
	}
	slices.SortFunc(r.Gone, func(a, b *pb.NodeKey) int {
		return cmp.Or(cmp.Compare(a.ClusterId, b.ClusterId), cmp.Compare(a.NodeId, b.NodeId))
	})
	if !r.Full && len(r.Nodes) == 0 && len(r.Gone) == 0 {
		return nil
	}
	return r
}

// ---- what happens to hosts

func (w *Fleet) change(m *Host) { m.since, m.known = w.Now, 0 }

func (w *Fleet) CutOff(m *Host, is bool) {
	m.Cut = is
	w.change(m)
}

func (w *Fleet) Isolate(m *Host, is bool) {
	m.Isolated = is
	w.change(m)
}

func (w *Fleet) Kill(m *Host) {
	m.Up, m.Reported = false, nil
	w.change(m)
	for _, n := range m.Nodes {
		n.Running, n.CaughtUp = false, false
	}
}

func (w *Fleet) Boot(m *Host) {
	m.Up = true
	w.change(m)
}

func (w *Fleet) Wipe(m *Host) {
	w.Kill(m)
	m.wipes++
	m.ID = fmt.Sprintf("%s'%d", m.Name, m.wipes)
	m.Nodes = map[NodeKey]*Node{}
}

// AddStray makes a host run a node that Drummer knows nothing of, of a group of its
// own if it is given a membership.
func (w *Fleet) AddStray(m *Host, cluster, node uint64, image *db.Image) {
	key := NodeKey{cluster, node}
	m.Nodes[key] = &Node{Key: key, join: pb.JoinMode_INITIAL, Running: true, image: image, Foreign: image != nil}
	if image == nil {
		w.firstDisk[key] = m.ID
	}
}

// SPDX-License-Identifier: Apache-2.0

package schedule

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// world is a model of a fleet under a Drummer: hosts with disks, Raft groups
// reduced to what matters here (who is a member, who runs, who may commit),
// agents, and two replicas of DrummerDB fed the same bytes. It knows the
// truth, so it can tell when Drummer does harm: every broken promise is a
// line in broken.
type world struct {
	policy Policy
	seed   uint64
	now    uint64 // world time, in ticks; DrummerDB's stops without a leader

	state *db.State
	twin  *db.State
	index uint64
	term  uint64

	leaderless bool // no Drummer server leads: nothing is written
	// met are the hosts heard of since somebody leads again; nil: nobody
	// ever ceased to lead.
	met    map[string]bool
	hosts  map[string]*machine
	groups map[uint64]*group // by ClusterID
	// homes remembers the disk that each node first ran on.
	homes   map[nodeKey]string
	results []*pb.RequestResult
	sent    map[uint64]bool // operations delivered to their host
	// decided is when each operation was decided.
	decided map[uint64]uint64
	// births are the members that the last placement of each cluster was started
	// with.
	births map[uint64]map[uint64]string
	// ended are the NodeIDs, by cluster, below which all belong to a cluster
	// that was deleted.
	ended map[uint64]uint64

	// joinTicks is how long an observer takes to catch up; faults decides
	// what the network does. Both may be changed at any time.
	joinTicks uint64
	faults    faults
	// stubborn leaders that are cut off from the others don't step down.
	stubborn bool
	// sleepAfter is how long it takes a cluster that quiesces to fall asleep.
	sleepAfter uint64

	log    []string
	broken []string
}

// faults are what goes wrong between Drummer and the hosts. Each is asked
// once for each message.
type faults struct {
	loseRequest func() bool
	loseResult  func() bool
	loseReport  func() bool
	result      func(*pb.Operation) pb.ResultCode // 0: as it comes
}

type nodeKey struct{ cluster, node uint64 }

// machine is a host: a process that may run, and a disk.
type machine struct {
	name   string // also its address
	id     string // NodeHost ID, of the disk
	wipes  int
	region string
	labels map[string]string
	weight uint32
	up     bool
	cut    bool   // from Drummer, not from the other hosts
	gray   bool   // cut from the other hosts, not from Drummer
	since  uint64 // when up, cut or gray last changed
	// told is when Drummer first knew what the host knew, after that; 0: not yet.
	told  uint64
	nodes map[nodeKey]*process
	// reported is what Drummer was last told; nil: nothing in this process's
	// life.
	reported map[nodeKey]*pb.NodeReport
}

// process is a Raft node on a disk, running or not.
type process struct {
	key     nodeKey
	join    pb.JoinMode
	running bool
	image   *db.Image // the membership it has applied; nil: none
	started uint64    // when it last started
	raft    uint64    // digest of the Raft configuration it runs with
	leader  uint64    // the leader it follows
	term    uint64
	awake   uint64 // when it last took part in something
	caught  bool
	foreign bool // of a group that is not Drummer's
}

// group is the truth about a cluster.
type group struct {
	id uint64
	// image is what was committed; nil until a majority of the first members
	// ran at the same time.
	image  *db.Image
	life   uint64
	leader uint64
	term   uint64
	// awake is when the cluster last did something. After sleepAfter its members
	// sleep, if it quiesces.
	awake uint64
}

func newWorld(policy Policy, seed uint64) *world {
	return &world{
		policy:    policy,
		seed:      seed,
		state:     db.NewState(),
		twin:      db.NewState(),
		term:      1,
		hosts:     map[string]*machine{},
		groups:    map[uint64]*group{},
		homes:     map[nodeKey]string{},
		sent:      map[uint64]bool{},
		decided:   map[uint64]uint64{},
		births:    map[uint64]map[uint64]string{},
		ended:     map[uint64]uint64{},
		joinTicks: 2,

		sleepAfter: 2 * policy.Suspect,
	}
}

func (w *world) addHost(name, region string) *machine {
	m := &machine{name: name, id: name, region: region, up: true, nodes: map[nodeKey]*process{}}
	w.hosts[name] = m
	return m
}

func (w *world) breaks(format string, args ...any) {
	w.broken = append(w.broken, fmt.Sprintf("t%d: ", w.now)+fmt.Sprintf(format, args...))
}

func (w *world) note(format string, args ...any) {
	w.log = append(w.log, fmt.Sprintf("t%d ", w.state.Tick)+fmt.Sprintf(format, args...))
}

// write proposes a command and applies it to both replicas.
func (w *world) write(cmd *pb.Command) *pb.CommandResult {
	data, err := proto.Marshal(cmd)
	if err != nil {
		panic(err)
	}
	w.index++
	before := w.state
	next, result := db.Apply(w.state, w.index, data)
	twin, twinResult := db.Apply(w.twin, w.index, data)
	w.state, w.twin = next, twin
	if !proto.Equal(result, twinResult) {
		w.breaks("two replicas gave different results for %v", cmd)
	}
	w.noteEvents(before)
	return result
}

func (w *world) noteEvents(before *db.State) {
	for _, ev := range w.state.EventsAfter(before.NextEventSequence-1, db.MaxEvents) {
		switch ev.Kind {
		case pb.EventOperationPlanned:
			op := w.state.Operations.At(ev.OperationId)
			w.decided[op.Id] = w.now
			w.note("%s — %s", db.Describe(op.Request), op.Reason)
		case pb.EventOperationDropped, pb.EventOperationExpired, pb.EventOperationOvertaken,
			pb.EventHostGone, pb.EventClusterAdopted, pb.EventClusterForeign, pb.EventFuseBlown, pb.EventFuseWhole:
			w.note("%s: %s", ev.Kind, ev.Text)
		}
	}
}

func (w *world) define(specs ...*pb.ClusterSpec) *pb.CommandResult {
	return w.write(&pb.Command{Body: &pb.Command_DefineClusters{DefineClusters: &pb.DefineClusters{Specs: specs}}})
}

func (w *world) delete(clusters ...uint64) *pb.CommandResult {
	next := map[uint64]uint64{}
	for _, id := range clusters {
		if c := w.state.Clusters.At(id); c != nil {
			next[id] = c.NextNodeID
		}
	}
	r := w.write(&pb.Command{Body: &pb.Command_DeleteClusters{
		DeleteClusters: &pb.DeleteClusters{ClusterIds: clusters}}})
	if r.Code == pb.CommandCode_APPLIED {
		for _, id := range clusters {
			delete(w.groups, id)
			w.ended[id] = max(w.ended[id], next[id])
		}
	}
	return r
}

func (w *world) mode(id string, mode pb.HostMode) *pb.CommandResult {
	return w.write(&pb.Command{Body: &pb.Command_SetHostMode{
		SetHostMode: &pb.SetHostMode{NodehostId: id, Mode: mode}}})
}

func (w *world) pause(paused bool, why string) {
	w.write(&pb.Command{Body: &pb.Command_SetPaused{SetPaused: &pb.SetPaused{Paused: paused, Reason: why}}})
}

func (w *world) launch() {
	w.write(&pb.Command{Body: &pb.Command_SetLaunched{SetLaunched: &pb.SetLaunched{}}})
}

// lead makes another Drummer server the leader.
func (w *world) lead() {
	w.term++
	w.sent = map[uint64]bool{} // the new leader pushes what is in flight again
	w.write(&pb.Command{Body: &pb.Command_TakeLeadership{
		TakeLeadership: &pb.TakeLeadership{Term: w.term, ServerNodeId: w.term%3 + 1}}})
	if w.state.Version < db.Version {
		w.write(&pb.Command{Body: &pb.Command_SetVersion{SetVersion: &pb.SetVersion{Version: db.Version}}})
	}
	for _, m := range w.hosts {
		m.reported = nil // and every host says Hello to it
	}
}

// step lets one tick pass: hosts act, Raft groups move, Drummer hears,
// decides and asks.
func (w *world) step() {
	w.now++
	for _, id := range slices.Sorted(maps.Keys(w.births)) {
		w.form(id, w.births[id])
	}
	for _, g := range w.sortedGroups() {
		w.raft(g)
	}
	if w.leaderless {
		w.met = map[string]bool{}
	} else {
		w.hear()
		if w.warmedUp() {
			w.decide()
		}
		w.ask()
	}
	if err := w.state.Check(); err != nil {
		w.breaks("DrummerDB contradicts itself: %v", err)
	}
}

// hear writes the tick, the results and the reports of this moment.
func (w *world) hear() {
	tick := &pb.Tick{Term: w.term, TimeToLive: w.policy.TTL}
	reports := &pb.HostReports{Term: w.term}
	for _, m := range w.sortedHosts() {
		if !m.up || m.cut {
			m.reported = nil
			continue
		}
		if m.reported != nil {
			tick.Heard = append(tick.Heard, m.id)
		}
		r := m.report()
		if r != nil && !ask(w.faults.loseReport) {
			reports.Reports = append(reports.Reports, r)
			m.reported = m.facts()
			r = nil
		}
		if r == nil && m.told == 0 && w.now > m.since+1 {
			m.told = w.now
		}
	}
	for _, id := range tick.Heard {
		w.meet(id)
	}
	for _, r := range reports.Reports {
		w.meet(r.Host.NodehostId)
	}
	answer := w.write(&pb.Command{Body: &pb.Command_Tick{Tick: tick}})
	results := w.results
	w.results = nil
	for _, r := range results {
		if !ask(w.faults.loseResult) {
			w.write(&pb.Command{Body: &pb.Command_EndOperation{
				EndOperation: &pb.EndOperation{Term: w.term, Result: r}}})
		}
	}
	if len(reports.Reports) > 0 {
		w.write(&pb.Command{Body: &pb.Command_Reports{Reports: reports}})
	}
	for _, m := range w.hosts {
		if slices.Contains(answer.NeedFullState, m.id) {
			m.reported = nil
		}
	}
}

func ask(f func() bool) bool { return f != nil && f() }

func (w *world) meet(id string) {
	if w.met != nil {
		w.met[id] = true
	}
}

// warmedUp reports whether a leader may decide: after a time without one, which
// aged nobody, not before it has heard every host that should be up, or lets
// go of it.
func (w *world) warmedUp() bool {
	for id, h := range w.state.Hosts.All() {
		if w.met != nil && !w.met[id] && w.state.HostState(h, w.policy.Suspect) == pb.NodeHostState_UP {
			return false
		}
	}
	w.met = nil
	return true
}

// decide writes the next plan.
func (w *world) decide() {
	plan := Decide(w.state, w.policy, w.seed)
	from := w.state
	again := Decide(w.state, w.policy, w.seed)
	if len(plan.Operations) != len(again.Operations) {
		w.breaks("the same state led to different decisions")
	}
	if cmd := plan.FuseCommand(from, w.term); cmd != nil {
		w.write(cmd)
	}
	if plan.FuseCommand(w.state, w.term) != nil {
		w.breaks("the blow of a fuse would be told twice")
	}
	if len(plan.Operations) > 0 {
		if r := w.write(plan.Command(from, w.term)); r.Dropped > 0 {
			w.breaks("%d of the scheduler's own fresh decisions were dropped", r.Dropped)
		}
	}
}

// ask delivers the operations in flight to their hosts.
func (w *world) ask() {
	for id, op := range w.state.Operations.All() {
		m := w.byID(op.Request.NodehostId)
		if w.sent[id] || m == nil || !m.up || m.cut || ask(w.faults.loseRequest) {
			continue
		}
		w.sent[id] = true
		result := w.carryOut(m, op)
		if result != nil {
			result.OperationId = id
			w.results = append(w.results, result)
		}
	}
}

func (w *world) byID(id string) *machine {
	for _, m := range w.hosts {
		if m.id == id {
			return m
		}
	}
	return nil
}

func (w *world) sortedHosts() []*machine {
	return slices.SortedFunc(maps.Values(w.hosts), func(a, b *machine) int { return cmp.Compare(a.name, b.name) })
}

func (w *world) sortedGroups() []*group {
	return slices.SortedFunc(maps.Values(w.groups), func(a, b *group) int { return cmp.Compare(a.id, b.id) })
}

func (m *machine) sortedNodes() []*process {
	return slices.SortedFunc(maps.Values(m.nodes), func(a, b *process) int {
		return cmp.Or(cmp.Compare(a.key.cluster, b.key.cluster), cmp.Compare(a.key.node, b.key.node))
	})
}

// facts is what the host would say in full.
func (m *machine) facts() map[nodeKey]*pb.NodeReport {
	facts := map[nodeKey]*pb.NodeReport{}
	for _, n := range m.sortedNodes() {
		r := &pb.NodeReport{ClusterId: n.key.cluster, NodeId: n.key.node, Running: n.running, CaughtUp: n.caught}
		if n.running {
			r.LeaderId, r.Term, r.RaftDigest = n.leader, n.term, n.raft
		}
		if n.running && n.image != nil {
			r.Membership = n.image.Proto(n.key.cluster)
			if x := n.image.Member(n.key.node); x != nil {
				r.Role = x.Role
			}
		}
		facts[n.key] = r
	}
	return facts
}

// report is what the host says now: all at first, then what changed; nil when
// nothing did.
func (m *machine) report() *pb.HostReport {
	r := &pb.HostReport{Host: &pb.NodeHostInfo{
		NodehostId: m.id, RaftAddress: m.name, Region: m.region, Labels: m.labels, Weight: m.weight}}
	facts := m.facts()
	r.Full = m.reported == nil
	for _, n := range m.sortedNodes() {
		if f := facts[n.key]; r.Full || !proto.Equal(f, m.reported[n.key]) {
			r.Nodes = append(r.Nodes, f)
		}
	}
	for k := range m.reported {
		if facts[k] == nil {
			r.Gone = append(r.Gone, &pb.NodeKey{ClusterId: k.cluster, NodeId: k.node})
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

func (w *world) change(m *machine) { m.since, m.told = w.now, 0 }

func (w *world) cutOff(m *machine, is bool) {
	m.cut = is
	w.change(m)
}

func (w *world) gray(m *machine, is bool) {
	m.gray = is
	w.change(m)
}

func (w *world) kill(m *machine) {
	m.up, m.reported = false, nil
	w.change(m)
	for _, n := range m.nodes {
		n.running, n.caught = false, false
	}
}

func (w *world) boot(m *machine) {
	m.up = true
	w.change(m)
}

func (w *world) wipe(m *machine) {
	w.kill(m)
	m.wipes++
	m.id = fmt.Sprintf("%s'%d", m.name, m.wipes)
	m.nodes = map[nodeKey]*process{}
}

// stray makes a host run a node that Drummer knows nothing of, of a group of its
// own if it is given a membership.
func (w *world) stray(m *machine, cluster, node uint64, image *db.Image) {
	key := nodeKey{cluster, node}
	m.nodes[key] = &process{key: key, join: pb.JoinMode_INITIAL, running: true, image: image, foreign: image != nil}
	if image == nil {
		w.homes[key] = m.id
	}
}

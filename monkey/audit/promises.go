// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"slices"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// What Drummer's documentation says of how careful it is, in ticks where it is a time.
const (
	suspect           = 3
	operationDeadline = 10
	backoff           = 2
	backoffCap        = 60
	startAttempts     = 5
	operationsPerHost = 64
	operationsTotal   = 1024
	joinsPerHost      = 32
	fuseHosts         = 2
	fusePercent       = 40
	fuseRegionPercent = 60
	fuseHold          = 600
	quarantine        = 30
	quarantineCap     = 3600
	movesTotal        = 2
	calm              = 120
	restartsTotal     = 16
	warmUp            = 10
	transfers         = 2
)

// operation is one that was put in flight, with the state that it was decided on.
type operation struct {
	*Auditor
	after   *db.State // it is in flight in this one
	from    *db.State
	cluster *db.Cluster // of from
	op      *pb.Operation
	request *pb.Request
	voters  []db.Member
	sure    int // of voters
}

// judgeOperation judges an operation when it is in flight for the first time.
func (a *Auditor) judgeOperation(after *db.State, op *pb.Operation) {
	from := a.at(op.GetDecidedAtIndex())
	if from == nil {
		return // the servers that had that state are gone
	}
	o := &operation{Auditor: a, after: after, from: from, cluster: from.Clusters.At(op.GetRequest().GetClusterId()), op: op, request: op.GetRequest()}
	if o.cluster == nil {
		o.violates("is about a cluster that there is not")
		return
	}
	for _, m := range o.members() {
		if !db.Voting(m.Role) {
			continue
		}
		o.voters = append(o.voters, m)
		if o.isSure(m) {
			o.sure++
		}
	}
	o.judge()
}

func (o *operation) violates(format string, args ...any) {
	o.breach(promises, o.request.GetClusterId(), "operation %d, decided at index %d ("+db.Describe(o.request)+"), "+format,
		append([]any{o.op.GetId(), o.op.GetDecidedAtIndex()}, args...)...)
}

func (o *operation) judge() {
	o.mayBegin()
	o.withinLimits()
	switch r := o.request; r.GetKind() {
	case pb.RequestKind_ADD_OBSERVER:
		o.quorumIsSure(len(o.voters))
		o.proposerIsSure()
		o.hasWaited(o.cluster.Config)
		o.isNeeded()
		o.suits(o.hostAt(r.GetTargetAddress()))
		o.fusesAreWhole()
	case pb.RequestKind_PROMOTE:
		o.hasWaited(o.cluster.Config)
		o.hasCaughtUp()
		o.proposerIsSure()
		if o.sure < len(o.voters) { // a single voter is always bound by a second one
			o.quorumIsSure(len(o.voters) + 1)
		}
	case pb.RequestKind_REMOVE_NODE:
		o.hasWaited(o.cluster.Config)
		o.quorumIsSure(len(o.voters))
		o.proposerIsSure()
		if m := o.member(r.GetNodeId()); m == nil {
			o.violates("is about no member")
		} else if db.Voting(m.Role) {
			o.observerCameFirst(*m)
			o.quorumIsSureWithout(*m, len(o.voters)-1)
			o.worstGoesFirst(*m)
			o.leaderHandsOver(*m)
		}
	case pb.RequestKind_TRANSFER_LEADER:
		if m := o.member(r.GetNodeId()); m == nil || !o.isSure(*m) {
			o.violates("hands over to a node that does not work for certain")
		}
	case pb.RequestKind_START_NODE:
		o.mayStart()
	case pb.RequestKind_DESTROY_NODE:
		o.mayDestroy()
	}
}

// mayBegin: nothing is begun before the launch, during a pause, for a cluster that is
// none of Drummer's, or by a leader that has not heard of the fleet.
func (o *operation) mayBegin() {
	destroys := o.request.GetKind() == pb.RequestKind_DESTROY_NODE
	switch host := o.from.Hosts.At(o.request.GetNodehostId()); {
	case !o.from.Launched:
		o.violates("was begun before the launch")
	case o.from.Paused:
		o.violates("was begun while Drummer is paused")
	case o.cluster.Deleted != (o.cluster.Spec == nil) || o.cluster.Deleted && !destroys:
		o.violates("is about a cluster that is not Drummer's, or was deleted")
	case host == nil || host.Gone || host.Dead:
		o.violates("is for a host that is not there")
	case o.op.GetDeadlineTick() != o.op.GetDecidedAtTick()+operationDeadline:
		o.violates("was decided at tick %d and is to have a result by tick %d, which is not %d later", o.op.GetDecidedAtTick(), o.op.GetDeadlineTick(), operationDeadline)
	}
	o.awaitWarmth()
}

// withinLimits: only so much is in flight at a time.
func (o *operation) withinLimits() {
	total, onHost, restarts, moves := 0, 0, 0, 0
	for op := range o.after.Operations.Values() {
		total++
		if op.GetRequest().GetNodehostId() == o.request.GetNodehostId() {
			onHost++
		}
		if op.GetRequest().GetRestart() {
			restarts++
		}
		if op.GetRequest().GetRelieves() != 0 {
			moves++
		}
	}
	switch {
	case total > operationsTotal || onHost > operationsPerHost:
		o.violates("is one of %d in flight, %d of them on its host", total, onHost)
	case restarts > restartsTotal:
		o.violates("is one of %d restarts at a time", restarts)
	case moves > movesTotal:
		o.violates("is one of %d moves at a time", moves)
	}
}

// hasWaited: what failed is tried again after a wait that doubles.
func (o *operation) hasWaited(a db.Attempt) {
	if until := a.Ended + doubled(backoff, a.Failures, backoffCap); a.Failures > 0 && o.from.Tick < until {
		o.violates("was decided at tick %d, %d tries have failed, and the next one is due at tick %d", o.from.Tick, a.Failures, until)
	}
}

// doubled is 0 for no failure, base for one, and twice as much for each further one.
func doubled(base uint64, failures uint32, limit uint64) uint64 {
	if failures == 0 {
		return 0
	}
	return min(base<<min(failures-1, 30), limit)
}

// members are those of the newest membership, or those that the cluster was placed with.
func (o *operation) members() []db.Member {
	if o.cluster.Image.CCID != 0 {
		return o.cluster.Image.Members
	}
	return o.cluster.Initial
}

func (o *operation) member(id uint64) *db.Member {
	for _, m := range o.members() {
		if m.NodeID == id {
			return &m
		}
	}
	return nil
}

func (o *operation) hostAt(address string) *db.Host {
	return o.from.Hosts.At(o.from.Addresses.At(address))
}

// host returns the host that a member lives on, if it has its disk yet.
func (o *operation) host(m db.Member) *db.Host {
	if n := o.cluster.Node(m.NodeID); n != nil {
		if h := o.from.Hosts.At(n.HostID); h != nil && !h.Gone && h.Address() == n.Address {
			return h
		}
	}
	return nil
}

func (o *operation) silence(h *db.Host) uint64 {
	if !h.Silent {
		return 0
	}
	return o.from.Tick - h.LastSeen
}

func (o *operation) fresh(h *db.Host) bool { return o.silence(h) < min(suspect, o.ttl) }

// isSure reports whether a member works for certain: its host was heard of just now,
// it runs, and follows the leader of the newest term that anybody knows. Nobody can be
// sure of a witness.
func (o *operation) isSure(m db.Member) bool {
	h := o.host(m)
	if h == nil || !o.fresh(h) || m.Role == pb.MemberRole_WITNESS {
		return false
	}
	r := o.cluster.Replica(m.NodeID, h.ID())
	return r != nil && r.Running && !r.Foreign && r.Leader != 0 && r.Term == o.newestTerm()
}

func (o *operation) newestTerm() uint64 {
	newest := uint64(0)
	for _, r := range o.cluster.Replicas {
		if !r.Foreign && r.Leader != 0 && o.cluster.Node(r.NodeID) != nil {
			newest = max(newest, r.Term)
		}
	}
	return newest
}

// lost reports whether a member has to be replaced: its host is dead or its disk lost, or
// it can't be started.
func (o *operation) lost(m db.Member) bool {
	n, h := o.cluster.Node(m.NodeID), o.host(m)
	switch {
	case n == nil:
		return false
	case h == nil && o.from.Hosts.At(n.HostID) == nil && o.hostAt(m.Address) == nil:
		return o.from.Tick-n.MemberSince >= o.ttl // nobody was ever heard of there
	case h == nil || o.silence(h) >= o.ttl:
		return true
	}
	r := o.cluster.Replica(m.NodeID, h.ID())
	return r == nil && n.Started || (r == nil || !r.Running) && n.Start.Failures >= startAttempts
}

// leaves reports whether a live member is to go elsewhere.
func (o *operation) leaves(m db.Member) bool {
	h := o.host(m)
	return h != nil && !o.lost(m) && (h.Mode == pb.HostMode_DRAIN || !hasLabels(h, o.cluster.Spec.GetRequiredLabels()))
}

func hasLabels(h *db.Host, labels map[string]string) bool {
	for key, value := range labels {
		if h.Info.GetLabels()[key] != value {
			return false
		}
	}
	return true
}

func quorum(voters int) int { return voters/2 + 1 }

// quorumIsSure: sure voters only. A change counts on no voter that may not work.
func (o *operation) quorumIsSure(voters int) {
	if o.sure < quorum(voters) {
		o.violates("counts on voters that may not work: of the %d there are then, %d do for certain", voters, o.sure)
	}
}

func (o *operation) quorumIsSureWithout(m db.Member, voters int) {
	sure := o.sure
	if o.isSure(m) {
		sure--
	}
	if sure < quorum(voters) {
		o.violates("counts on voters that may not work: without node %d %d of %d do for certain", m.NodeID, sure, voters)
	}
}

// proposerIsSure: a membership change is proposed where a voter works that it is not about.
func (o *operation) proposerIsSure() {
	for _, m := range o.voters {
		if h := o.host(m); h != nil && h.ID() == o.request.GetNodehostId() && o.isSure(m) && (m.NodeID != o.request.GetNodeId() || len(o.voters) == 1) {
			return
		}
	}
	o.violates("is proposed by a host of which no voter works for certain")
}

// isNeeded: a member is added for one that is lost or leaves, or to reach the size; or as
// the better place for one that is well, when nothing else is to be done.
func (o *operation) isNeeded() {
	c, tick := o.cluster, o.from.Tick
	if until := c.JoinFailed + doubled(backoff, c.JoinFailures, backoffCap); c.JoinFailures > 0 && tick < until {
		o.violates("comes at tick %d after %d new members have failed, and the next one is due at tick %d", tick, c.JoinFailures, until)
	}
	stay, observers := 0, 0
	for _, m := range o.members() {
		switch {
		case !db.Voting(m.Role):
			observers++
		case !o.lost(m) && !o.leaves(m):
			stay++
		}
	}
	size := int(c.Spec.GetSize())
	if o.request.GetRelieves() == 0 {
		if size-stay <= observers {
			o.violates("adds a member though %d of %d voters stay and %d observers are there already", stay, size, observers)
		}
		return
	}
	if stay != size || observers > 0 || len(o.voters) != size || o.sure != size {
		o.violates("moves a member of a cluster that has something else to do: %d of %d voters stay, %d work for certain, and there are %d observers", stay, size, o.sure, observers)
	}
	if len(c.Spec.GetRegions()) == 0 && c.Spec.GetSpreadOver() == "" {
		o.fleetIsCalm()
	}
}

// fleetIsCalm: for balance alone nothing is moved while hosts come and go.
func (o *operation) fleetIsCalm() {
	for id, h := range o.from.Hosts.All() {
		switch silence := o.silence(h); {
		case h.Gone:
		case silence >= suspect && silence < o.ttl+calm:
			o.violates("moves a member for balance though host %s is silent for %d ticks", id, silence)
		case silence < o.ttl && o.from.Tick-h.UpSince < calm:
			o.violates("moves a member for balance though host %s came %d ticks ago", id, o.from.Tick-h.UpSince)
		}
	}
}

// open reports whether a host may be given new nodes of the cluster.
func (o *operation) open(h *db.Host) bool {
	return h != nil && !h.Gone && o.fresh(h) && h.Mode == pb.HostMode_ACTIVE && h.Info.GetSick() == "" && hasLabels(h, o.cluster.Spec.GetRequiredLabels())
}

// free reports whether a host has nothing of the cluster.
func (o *operation) free(h *db.Host) bool {
	return !slices.ContainsFunc(o.members(), func(m db.Member) bool { return m.Address == h.Address() }) &&
		!slices.ContainsFunc(o.cluster.Replicas, func(r db.Replica) bool { return r.HostID == h.ID() })
}

func (o *operation) quarantined(h *db.Host) bool {
	return h.Deaths > 0 && o.from.Tick-h.UpSince < doubled(quarantine, h.Deaths, quarantineCap)
}

// suits: a member goes to a host that is open to it and has none; and to one that keeps
// dying only when there is no other.
func (o *operation) suits(h *db.Host) {
	switch {
	case !o.open(h):
		o.violates("places a member on a host that is not open to it")
		return
	case !o.free(h):
		o.violates("places a member on a host that has one")
	}
	joins := map[string]int{}
	for c := range o.after.Clusters.Values() {
		for _, n := range c.Nodes {
			m := c.Image.Member(n.ID)
			if r := c.Replica(n.ID, n.HostID); m != nil && m.Role == pb.MemberRole_OBSERVER && (r == nil || !r.CaughtUp) {
				joins[n.Address]++
			}
		}
	}
	if joins[h.Address()] > joinsPerHost {
		o.violates("places a member on a host where %d are catching up", joins[h.Address()])
	}
	if !o.quarantined(h) {
		return
	}
	for id, other := range o.from.Hosts.All() {
		if other != h && o.open(other) && o.free(other) && !o.quarantined(other) && joins[other.Address()] == 0 && o.from.Operations.Len() < operationsPerHost {
			o.violates("places a member on a host that died %d times lately, and not on %s, which did not", h.Deaths, id)
			return
		}
	}
}

// fusesAreWhole: nothing is replaced while too many hosts have vanished at once, of the
// fleet or of the region where the dead member lives.
func (o *operation) fusesAreWhole() {
	dead, vanished, all := o.vanished("")
	if dead > 0 && vanished > fuseHosts && vanished*100 > all*fusePercent {
		o.violates("adds a member though %d of %d hosts vanished at once", vanished, all)
	}
	for _, m := range o.voters {
		h := o.host(m)
		if h == nil || o.silence(h) < o.ttl {
			continue
		}
		region := h.Info.GetRegion()
		if dead, vanished, hosts := o.vanished(region); region != "" && hosts < all && dead > 0 && vanished > fuseHosts && vanished*100 > hosts*fuseRegionPercent {
			o.violates("adds a member though %d of %d hosts of region %s vanished at once", vanished, hosts, region)
		}
	}
}

// vanished counts hosts that are dead since not long ago, those that were not heard of
// for half of their time to live, and all that anybody expects back, of a region or, "",
// of all.
func (o *operation) vanished(region string) (dead, vanished, hosts int) {
	for h := range o.from.Hosts.Values() {
		silence := o.silence(h)
		if h.Gone || silence >= o.ttl+fuseHold || region != "" && h.Info.GetRegion() != region {
			continue
		}
		hosts++
		if silence >= o.ttl {
			dead++
		}
		if 2*silence >= o.ttl {
			vanished++
		}
	}
	return dead, vanished, hosts
}

// hasCaughtUp: an observer is promoted when it has caught up, in truth too.
func (o *operation) hasCaughtUp() {
	m := o.member(o.request.GetNodeId())
	if m == nil || m.Role != pb.MemberRole_OBSERVER {
		o.violates("is about no observer")
		return
	}
	if !o.isSure(*m) || !o.cluster.Replica(m.NodeID, o.host(*m).ID()).CaughtUp {
		o.violates("is about an observer that has not caught up, or may not work")
	}
	o.promoted = append(o.promoted, o)
}

// observerCameFirst: a voter that is missed goes when its successor has caught up, and
// not before; unless the successor can live nowhere but at the same address.
func (o *operation) observerCameFirst(leaving db.Member) {
	if len(o.voters)-1 >= int(o.cluster.Spec.GetSize()) {
		return // it is not missed
	}
	for _, m := range o.members() {
		if m.Role == pb.MemberRole_OBSERVER && o.isSure(m) && o.cluster.Replica(m.NodeID, o.host(m).ID()).CaughtUp && o.lost(leaving) {
			return
		}
	}
	if h := o.hostAt(leaving.Address); o.host(leaving) == nil && h != nil {
		return
	}
	o.violates("removes one of %d voters of %d before its successor has taken over", len(o.voters), o.cluster.Spec.GetSize())
}

// worstGoesFirst: no live voter goes while another one is lost.
func (o *operation) worstGoesFirst(leaving db.Member) {
	for _, m := range o.voters {
		if o.lost(m) && !o.lost(leaving) {
			o.violates("removes a voter that is well though node %d is lost", m.NodeID)
			return
		}
	}
}

// leaderHandsOver: a leader goes when it has handed over, or tried that in vain.
func (o *operation) leaderHandsOver(leaving db.Member) {
	if leaving.NodeID != o.cluster.Leader || !o.isSure(leaving) || o.cluster.Config.Failures >= transfers {
		return
	}
	for _, m := range o.voters {
		if m.NodeID != leaving.NodeID && m.Role == pb.MemberRole_VOTER && o.isSure(m) && !o.leaves(m) {
			o.violates("removes the leader though node %d could lead", m.NodeID)
			return
		}
	}
}

// mayStart: a node is started where it was placed, when its host was heard of just now,
// and never once its log is lost.
func (o *operation) mayStart() {
	r, h := o.request, o.from.Hosts.At(o.request.GetNodehostId())
	n := o.cluster.Node(r.GetNodeId())
	switch {
	case h == nil: // said already
		return
	case n == nil:
		o.launches()
		return
	case n.HostID != h.ID():
		o.violates("starts a node that was placed on host %s", n.HostID)
	case o.cluster.Image.HasRemoved(r.GetNodeId()):
		o.violates("starts a node that was removed")
	case r.GetRestart():
		o.mayRestart()
		return
	case !o.fresh(h):
		o.violates("asks a host that is silent for %d ticks", o.silence(h))
	}
	o.hasWaited(n.Start)
	switch x := o.cluster.Replica(r.GetNodeId(), h.ID()); {
	case x == nil && n.Started:
		o.violates("starts a node whose log is lost")
	case x != nil && x.Running:
		o.violates("starts a node that runs")
	}
}

func (o *operation) mayRestart() {
	if m := o.member(o.request.GetNodeId()); m != nil {
		o.quorumIsSureWithout(*m, len(o.voters))
	}
	if o.sure < len(o.voters) {
		o.violates("restarts a node while only %d of %d voters work for certain", o.sure, len(o.voters))
	}
}

// launches: the first members of a cluster live on as many hosts, which are open to it,
// as many in each region as is wanted.
func (o *operation) launches() {
	members := o.request.GetInitialMembers()
	if len(members) != int(o.cluster.Spec.GetSize()) {
		o.violates("places %d members of %d", len(members), o.cluster.Spec.GetSize())
	}
	there, hosts := map[string]uint32{}, map[string]bool{}
	for _, address := range members {
		h := o.hostAt(address)
		if !o.open(h) {
			o.violates("places a member at %s, where no host is open to it", address)
			return
		}
		there[h.Info.GetRegion()]++
		hosts[h.ID()] = true
	}
	if len(hosts) < len(members) {
		o.violates("places %d members on %d hosts", len(members), len(hosts))
	}
	for region, want := range o.cluster.Spec.GetRegions() {
		if there[region] < want {
			o.violates("places %d members in region %s, which should have %d", there[region], region, want)
		}
	}
}

// mayDestroy: what is destroyed is no member and never will be; and it stays as long as
// somebody may need it to recover the cluster.
func (o *operation) mayDestroy() {
	r, c := o.request, o.cluster
	if x := c.Replica(r.GetNodeId(), r.GetNodehostId()); x == nil || x.Foreign {
		o.violates("destroys what is not there, or belongs to somebody else")
	} else {
		o.hasWaited(x.Destroy)
	}
	if c.Deleted || r.GetNodeId() < c.FirstNodeID {
		return
	}
	if o.member(r.GetNodeId()) != nil || c.Node(r.GetNodeId()) != nil || c.Image.CCID == 0 {
		o.violates("destroys a member, or a node that may become one")
	}
	if o.sure < quorum(len(o.voters)) {
		o.violates("destroys what the cluster may have to be recovered from: only %d of %d voters work for certain", o.sure, len(o.voters))
	}
	o.isNoMemberInTruth()
}

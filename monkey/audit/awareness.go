// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// How long Drummer may take to know what is so, while it has a leader whose clock goes
// on: heartbeats come once a tick, and a report goes at once.
const (
	knownWithin = 20 * time.Second
	knownTicks  = 10
	// deadWithin is how many ticks beyond its time to live a host may be down before it is
	// taken for dead.
	deadWithin = 5
	// noticedWithin is for how long something must be wrong that may be so for a moment.
	noticedWithin = 5 * time.Second
)

// known is how long Drummer may take to know what is so.
func (a *Auditor) known() time.Duration { return knownWithin + a.slack }

// watchedHost is how long something has been so, of the host at an address.
type watchedHost struct {
	state   string        // its process: "", when there is none
	cameAt  time.Duration // since when it is there
	server  string        // that it is attached to, in a term
	term    uint64
	since   time.Duration // both
	tick    uint64
	present bool
	// wrong is since when DrummerDB has said something else of a node than is so; what
	// is so is the same all the time.
	wrong map[Key]mistake
}

// mistake is what is so, and since when DrummerDB has said something else.
type mistake struct {
	runs   bool
	leader uint64 // whom the node follows; 0: nobody, or it is not looked at
	since  time.Duration
}

// caughtUpLooks is how many looks ago an observer may have caught up that is promoted now:
// it has told its host, which has told Drummer, and others have taken their turns.
const caughtUpLooks = 20

// watchedCluster is the newest membership that a node of it knows.
type watchedCluster struct {
	ccid   uint64
	voters map[uint64]string
	since  time.Duration
	// committed are the highest indexes committed at the last looks, the oldest first.
	committed [caughtUpLooks]uint64
	// leader is whom all its nodes follow, since ledSince; 0: they do not agree on one.
	leader   uint64
	ledSince time.Duration
}

// watchHosts compares the truth with that of the look before.
func (a *Auditor) watchHosts() {
	for _, h := range a.hosts {
		h.present = false
	}
	for _, c := range a.clusters {
		copy(c.committed[:], c.committed[1:])
	}
	for i := range a.truth.Hosts {
		a.watchHost(&a.truth.Hosts[i])
	}
	a.watchLeaders()
	for _, h := range a.hosts {
		if !h.present && h.state != "" {
			h.state, h.server, h.since, h.tick, h.term = "", "", a.now, a.last.Tick, a.last.Term
			clear(h.wrong)
		} else if !h.present && h.term != a.last.Term {
			h.since, h.tick, h.term = a.now, a.last.Tick, a.last.Term
		}
	}
}

func (a *Auditor) watchHost(h *Host) {
	w := a.hosts[h.Address]
	if w == nil {
		w = &watchedHost{wrong: map[Key]mistake{}}
		a.hosts[h.Address] = w
	}
	w.present = true
	server := h.Server
	if h.Paused || server != a.truth.Leader {
		server = ""
	}
	if w.state != h.ID || h.Paused {
		w.cameAt = a.now
	}
	if w.state != h.ID || w.server != server || w.term != a.last.Term {
		w.state, w.server, w.term, w.since, w.tick = h.ID, server, a.last.Term, a.now, a.last.Tick
	}
	for k, n := range h.Nodes {
		if n.CCID == 0 {
			continue
		}
		c := a.clusters[k.Cluster]
		if c == nil {
			c = &watchedCluster{}
			a.clusters[k.Cluster] = c
		}
		if c.ccid < n.CCID {
			c.ccid, c.voters, c.since = n.CCID, n.Voters, a.now
		}
		newest := &c.committed[len(c.committed)-1]
		*newest = max(*newest, n.Committed)
	}
}

// watchLeaders notes whom all nodes of each cluster follow.
func (a *Auditor) watchLeaders() {
	followed := map[uint64]uint64{} // by cluster; 0: they do not agree
	for _, h := range a.truth.Hosts {
		for k, n := range h.Nodes {
			if n.CCID == 0 {
				continue
			}
			leader, seen := followed[k.Cluster]
			if !seen {
				leader = n.Leader
			} else if leader != n.Leader {
				leader = 0
			}
			followed[k.Cluster] = leader
		}
	}
	for id, c := range a.clusters {
		if leader := followed[id]; leader == 0 || leader != c.leader {
			c.leader, c.ledSince = leader, a.now
		}
	}
}

// judgeAwareness compares what DrummerDB says with what has been so for long.
func (a *Auditor) judgeAwareness() {
	attached := map[string]bool{}
	for _, h := range a.truth.Hosts {
		w := a.hosts[h.Address]
		if w.server == "" || a.now-w.since < a.known() || a.last.Tick-w.tick < knownTicks {
			continue
		}
		attached[h.Address] = true
		a.judgeHeard(&h, w)
	}
	for id, h := range a.last.Hosts.All() {
		w := a.hosts[h.Address()]
		unknown := w != nil && w.state == "" && !h.Gone && !h.Dead && a.last.Tick-max(w.tick, h.UpSince, h.LastSeen) > a.ttl+deadWithin
		if a.lasts("alive "+id, unknown, noticedWithin) { // it may have been there between two looks
			a.breach(awareness, 0, "host %s at %s is down for %d ticks, all of them of one leader, and is not taken for dead at tick %d: silent: %v, last seen at tick %d", id, h.Address(), a.last.Tick-w.tick, a.last.Tick, h.Silent, h.LastSeen)
		}
	}
	for id, c := range a.last.Clusters.All() {
		if w := a.clusters[id]; w != nil && c.Spec != nil && a.now-w.since >= a.known() {
			a.judgeMembership(c, w, attached)
		}
	}
}

// ledFor reports whether all nodes of a cluster have followed the same leader for so long.
func (a *Auditor) ledFor(cluster uint64, long time.Duration) bool {
	c := a.clusters[cluster]
	return c != nil && c.leader != 0 && a.now-c.ledSince >= long
}

// lasts reports whether something has been wrong, in each look, for so long.
func (a *Auditor) lasts(what string, wrong bool, within time.Duration) bool {
	since, was := a.lasting[what]
	switch {
	case !wrong:
		delete(a.lasting, what)
	case !was:
		a.lasting[what] = a.now
	}
	return wrong && was && a.now-since >= within
}

// judgeHeard is about a host that has been attached to the leader for long.
func (a *Auditor) judgeHeard(h *Host, w *watchedHost) {
	known := a.last.Hosts.At(h.ID)
	unheard := known == nil || known.Gone || known.Dead || known.Silent && a.last.Tick-known.LastSeen > knownTicks
	// A stream that carries nothing up is ended after the time to live.
	if a.lasts("unheard "+h.Address, unheard, a.known()+time.Duration(a.ttl)*time.Second) {
		a.breach(awareness, 0, "host %s at %s is attached to Drummer's leader since %v, and DrummerDB at tick %d has it as unknown, gone, dead or silent", h.ID, h.Address, w.since, a.last.Tick)
	}
	if unheard {
		return
	}
	said := map[Key]db.Reported{}
	for cluster := range known.Replicas.All() {
		for _, r := range a.last.Clusters.At(cluster).Replicas {
			if r.HostID == h.ID {
				said[Key{cluster, r.NodeID}] = r.Reported
			}
		}
	}
	for _, k := range sorted(h.Nodes) {
		a.compare(h, w, k, mistake{runs: true, leader: h.Nodes[k].Leader}, said[k])
		delete(said, k)
	}
	for _, k := range sorted(said) {
		a.compare(h, w, k, mistake{}, said[k])
	}
	if h.Stored == nil {
		return
	}
	for cluster := range known.Replicas.All() {
		for _, r := range a.last.Clusters.At(cluster).Replicas {
			if k := (Key{cluster, r.NodeID}); r.HostID == h.ID && a.lasts("stored "+h.ID+" "+fmt.Sprint(k), !h.Stored[k], a.known()) {
				a.breach(awareness, cluster, "DrummerDB has said for %v that host %s at %s has what is left of node %d of cluster %d, and nothing is there", a.known(), h.ID, h.Address, r.NodeID, cluster)
			}
		}
	}
}

// compare is about one node of such a host: how it is, and what DrummerDB says.
func (a *Auditor) compare(h *Host, w *watchedHost, k Key, is mistake, said db.Reported) {
	was, wrong := w.wrong[k]
	switch {
	case said.Running == is.runs && (said.Leader == is.leader || is.leader == 0):
		delete(w.wrong, k)
	case !wrong || was.runs != is.runs || was.leader != is.leader:
		is.since = a.now
		w.wrong[k] = is
	case a.now-was.since >= a.known():
		a.breach(awareness, k.Cluster, "node %d of cluster %d on host %s at %s runs: %v, and follows node %d; DrummerDB has said for %v now that it runs: %v, and that it follows node %d",
			k.Node, k.Cluster, h.ID, h.Address, is.runs, is.leader, a.now-was.since, said.Running, said.Leader)
	}
}

// judgeMembership is about a cluster whose membership has been the same for long; it is
// known if the hosts of all voters are.
func (a *Auditor) judgeMembership(c *db.Cluster, w *watchedCluster, attached map[string]bool) {
	for _, address := range w.voters {
		if !attached[address] {
			return
		}
	}
	wrong := c.Image.CCID < w.ccid
	if c.Image.CCID == w.ccid {
		for id, address := range w.voters {
			m := c.Image.Member(id)
			wrong = wrong || m == nil || m.Address != address || m.Role == pb.MemberRole_OBSERVER
		}
	}
	if wrong {
		a.breach(awareness, c.ID, "cluster %d has the voters %v at config change %d since %v, and DrummerDB says %s at config change %d", c.ID, w.voters, w.ccid, w.since, &c.Image, c.Image.CCID)
	}
}

// noteAttached notes which hosts are attached to the leader of the present term.
func (a *Auditor) noteAttached(truth Truth) {
	for _, h := range truth.Hosts {
		if h.Server == "" || h.Server != truth.Leader {
			continue
		}
		if a.terms[h.Address] == nil {
			a.terms[h.Address] = map[uint64]bool{}
		}
		a.terms[h.Address][a.last.Term] = true
	}
}

// expected is what was decided by a leader that should have heard of some hosts before.
type expected struct {
	operation *operation
	term      uint64
	hosts     []string // addresses
	until     time.Duration
}

// awaitWarmth: a new leader decides when it has heard of every host that is up, or has
// waited for its first ticks.
func (o *operation) awaitWarmth() {
	began := o.leadsSince()
	if began == 0 || o.op.GetDecidedAtTick() >= began+warmUp || o.now-o.changes[0] < restlessFor {
		return
	}
	var unheard []string
	for _, h := range o.from.Hosts.All() {
		if !h.Gone && o.silence(h) < o.ttl && !o.terms[h.Address()][o.request.GetLeaderTerm()] {
			unheard = append(unheard, h.Address())
		}
	}
	if len(unheard) > 0 {
		slices.Sort(unheard)
		o.pending = append(o.pending, expected{o, o.request.GetLeaderTerm(), unheard, o.now + heardWithin})
	}
}

// leadsSince is the tick at which the leader that decided has opened its term; 0: the
// event log does not say.
func (o *operation) leadsSince() uint64 {
	for _, e := range slices.Backward(o.from.Events) {
		if e.GetKind() == pb.EventLeader {
			return max(e.GetTick(), 1)
		}
	}
	return 0
}

// heardWithin is how long after a decision a host may be seen attached to the leader, which
// has heard of it before: it may have lost its stream at once.
const heardWithin = 500 * time.Millisecond

// restlessFor is for how long nothing is said of a leader that had one before, and one
// before that: streams come and go faster than anybody looks.
const restlessFor = 30 * time.Second

// judgeWarmth looks whether the hosts that a leader should have heard of are attached
// to it.
func (a *Auditor) judgeWarmth(truth Truth) {
	pending := a.pending
	a.pending = nil
	for _, e := range pending {
		if a.now < e.until {
			a.pending = append(a.pending, e)
			continue
		}
		for _, address := range e.hosts {
			w := a.hosts[address]
			there := slices.ContainsFunc(truth.Hosts, func(h Host) bool { return h.Address == address && !h.Paused })
			if w == nil || !there || a.terms[address][e.term] || a.last.Term != e.term || w.state == "" || e.until-w.cameAt < 2*heardWithin {
				continue
			}
			e.operation.violates("was decided in the warm-up of term %d by a leader that had not heard of the host at %s", e.term, address)
			return
		}
	}
}

// judgePromotions: an observer that was to be promoted since the last look has applied
// something, and what its cluster had committed some looks before.
func (a *Auditor) judgePromotions() {
	promoted := a.promoted
	a.promoted = nil
	for _, o := range promoted {
		k, w := Key{o.cluster.ID, o.request.GetNodeId()}, a.clusters[o.cluster.ID]
		for _, h := range a.truth.Hosts {
			switch n, runs := h.Nodes[k]; {
			case !runs:
			case n.CCID == 0:
				o.violates("is about an observer that has applied nothing")
			case w != nil && n.Applied < w.committed[0]:
				o.violates("is about an observer that has applied up to index %d, and its cluster had committed index %d before", n.Applied, w.committed[0])
			}
		}
	}
}

// isNoMemberInTruth: no node that has applied as much as Drummer knows takes what is
// destroyed for a voter.
func (o *operation) isNoMemberInTruth() {
	w := o.clusters[o.cluster.ID]
	if w == nil || w.ccid < o.cluster.Image.CCID {
		return
	}
	if address, votes := w.voters[o.request.GetNodeId()]; votes {
		o.violates("destroys the voter at %s of config change %d", address, w.ccid)
	}
}

// sorted lists the nodes of a map in order.
func sorted[V any](m map[Key]V) []Key {
	return slices.SortedFunc(maps.Keys(m), func(a, b Key) int {
		return cmp.Or(cmp.Compare(a.Cluster, b.Cluster), cmp.Compare(a.Node, b.Node))
	})
}

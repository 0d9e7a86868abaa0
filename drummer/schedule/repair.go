// SPDX-License-Identifier: Apache-2.0

package schedule

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// repair takes the next membership change of a cluster towards its
// specification: observer first, and never one that could leave it without a
// quorum.
func (p *planner) repair(a *assessment) {
	switch {
	case a.Config.InFlight():
		p.waitsFor(a.ID, a.Config.Operation)
	case !a.quorate():
		p.waits(a.ID, "a quorum: %d of %d voters run%s", a.live, len(a.voters), whyNot(a))
	case a.sure < db.Quorum(len(a.voters)):
		p.waits(a.ID, "its voters to work: %s", a.doubts())
	case !p.ready(a.Config):
		p.waits(a.ID, "another try to change the membership, after %d failed", a.Config.Failures)
	default:
		p.change(a)
	}
}

func whyNot(a *assessment) string {
	var b strings.Builder
	for _, m := range a.voters {
		if m.is != live {
			b.WriteString("; ")
			b.WriteString(m.why)
		}
	}
	return b.String()
}

// change decides which membership change comes next.
func (p *planner) change(a *assessment) {
	if o, why := p.uselessObserver(a); o != nil {
		p.remove(a, o, "%s", why)
		return
	}
	missing := a.missing()
	switch {
	case missing > 0:
		p.grow(a, missing)
	case a.dead > 0:
		m := worst(a.voters)
		p.remove(a, m, "%s and the other members suffice", m.why)
	case a.leaving > 0:
		p.release(a)
	case missing < 0:
		p.shrink(a)
	}
}

// uselessObserver returns an observer that will not become a voter, and why:
// it is dead, takes too long, or is no longer needed.
func (p *planner) uselessObserver(a *assessment) (*member, string) {
	wanted := max(a.missing(), 0)
	for _, m := range a.voters {
		if m.is == down || m.is == live && !m.sure() {
			wanted++ // it may come back, or not: nothing is thrown away yet
		}
	}
	var extra *member
	for _, o := range a.observers {
		switch {
		case o.gone():
			return o, o.why
		case !o.caughtUp() && p.overdue(a, o):
			return o, fmt.Sprintf("observer %d on %s did not catch up within %d ticks",
				o.NodeID, o.where(), p.policy.joinLimit(a.JoinFailures))
		case extra == nil || extra.caughtUp() || !o.caughtUp():
			extra = o // the last of those least far
		}
	}
	if len(a.observers) > wanted {
		return extra, fmt.Sprintf("observer %d is not needed any more, %d voters of %d are there",
			extra.NodeID, len(a.voters)-a.dead, a.size())
	}
	return nil, ""
}

func (m *member) caughtUp() bool {
	return m.is == live && m.replica.CaughtUp
}

func (p *planner) overdue(a *assessment, o *member) bool {
	return p.state.Tick >= o.node.MemberSince+p.policy.joinLimit(a.JoinFailures)
}

// grow brings a cluster nearer to the number of voters it lacks.
func (p *planner) grow(a *assessment, missing int) {
	for _, o := range a.observers {
		if o.caughtUp() && o.sure() {
			p.promote(a, o)
			return
		}
	}
	if len(a.observers) >= missing {
		o := a.observers[0]
		p.waits(a.ID, "node %d on %s to catch up", o.NodeID, o.where())
		return
	}
	p.addObserver(a)
}

// promote makes a voter of an observer that has caught up. When the new voter
// would raise the quorum above what the present voters reach by themselves,
// a dead one is removed first: that never costs anything, and the cluster
// does not come to depend on a node that has only just joined.
func (p *planner) promote(a *assessment, o *member) {
	quorum := db.Quorum(len(a.voters) + 1)
	switch {
	case a.sure >= quorum:
		p.configure(a, o, pb.RequestKind_PROMOTE, "it has caught up and %s", purpose(a))
	case a.dead > 0:
		m := worst(a.voters)
		p.remove(a, m, "%s and observer %d has caught up to take its place", m.why, o.NodeID)
	case a.sure == len(a.voters): // one voter, which a second one always binds
		p.configure(a, o, pb.RequestKind_PROMOTE, "it has caught up and %s", purpose(a))
	default:
		p.waits(a.ID, "more voters to work: %s", a.doubts())
	}
}

func purpose(a *assessment) string {
	if m := worst(a.voters); m != nil && m.gone() {
		return m.why
	}
	if m := a.leaver(); m != nil {
		return m.why
	}
	return fmt.Sprintf("the cluster has %d voters of %d", len(a.voters), a.size())
}

// worst returns the voter that is worst off, the first of equals.
func worst(voters []*member) *member {
	var w *member
	for _, m := range voters {
		if w == nil || m.is > w.is {
			w = m
		}
	}
	return w
}

func (p *planner) addObserver(a *assessment) {
	if wait := a.JoinFailed + p.policy.backoff(a.JoinFailures); p.state.Tick < wait {
		p.waits(a.ID, "tick %d, to try again with a new member after %d failed", wait, a.JoinFailures)
		return
	}
	if why := p.blown(a); why != "" {
		p.waits(a.ID, "%s", why)
		return
	}
	target, why := p.target(a)
	if target == nil {
		p.makeRoom(a, why)
		return
	}
	r := &pb.Request{
		Kind:          pb.RequestKind_ADD_OBSERVER,
		NodeId:        a.NextNodeID,
		TargetAddress: target.Address(),
	}
	if p.configureBy(a, r, nil, "%s", purpose(a)) {
		target.placed++
		target.joins++
	}
}

// makeRoom removes a member whose disk is lost when its own address is the
// only place for a successor: an address can't have two members.
func (p *planner) makeRoom(a *assessment, why string) {
	m := worst(a.voters)
	if h := p.at(m.Address); m.is == lost && h != nil && h.fresh && len(a.voters) > 1 {
		p.remove(a, m, "%s and its successor can only live at the same address", m.why)
		return
	}
	p.waits(a.ID, "%s", why)
}

// shrink removes a voter of a cluster that has too many, all of them well.
func (p *planner) shrink(a *assessment) {
	if a.sure+a.witnesses() < len(a.voters) {
		p.waits(a.ID, "all voters to work before one of them is removed: %s", a.doubts())
		return
	}
	m := p.surplus(a)
	if a.without(m) < db.Quorum(len(a.voters)-1) {
		p.waits(a.ID, "more voters to work before node %d is removed: %s", m.NodeID, a.doubts())
		return
	}
	p.retire(a, m, "the cluster has %d voters of %d", len(a.voters), a.size())
}

// leaver returns a voter that is to be moved elsewhere, the leader last; or
// nil.
func (a *assessment) leaver() *member {
	var found *member
	for _, m := range a.voters {
		if m.leaving && (found == nil || found.NodeID == a.Leader) {
			found = m
		}
	}
	return found
}

// release removes a member whose successor is a voter by now.
func (p *planner) release(a *assessment) {
	m := a.leaver()
	if a.without(m) < db.Quorum(len(a.voters)-1) {
		p.waits(a.ID, "more voters to work before node %d may leave: %s", m.NodeID, a.doubts())
		return
	}
	p.retire(a, m, "%s and its successor has taken over", m.why)
}

// without counts the voters other than m that work for certain.
func (a *assessment) without(m *member) int {
	if m.sure() {
		return a.sure - 1
	}
	return a.sure
}

// retire removes a live voter. A leader hands over first, so that writes do
// not have to wait for an election; unless it tried that in vain.
func (p *planner) retire(a *assessment, m *member, format string, args ...any) {
	if m.NodeID == a.Leader && a.Config.Failures < maxTransfers {
		for _, heir := range a.voters {
			if heir != m && heir.sure() && !heir.leaving && heir.Role == pb.MemberRole_VOTER {
				p.transfer(a, m, heir, format, args...)
				return
			}
		}
	}
	if p.proven(a, format, args...) {
		p.remove(a, m, format, args...)
	}
}

// maxTransfers is how often a leader tries in vain to hand over before it is
// removed all the same.
const maxTransfers = 2

// transfer asks the leader's host to hand over to another voter.
func (p *planner) transfer(a *assessment, from, to *member, format string, args ...any) {
	switch h := from.host; {
	case !p.reported(a.Config):
		p.waits(a.ID, "word of a leader other than node %d", from.NodeID)
	case !p.free(h):
		p.waits(a.ID, "a free slot on %s, to hand over leadership", h.ID())
	default:
		p.operate(a, &pb.Request{
			Kind:           pb.RequestKind_TRANSFER_LEADER,
			NodeId:         to.NodeID,
			NodehostId:     h.ID(),
			ConfigChangeId: a.Image.CCID,
		}, format, args...)
	}
}

// surplus chooses the voter that is missed least: not one that a region
// needs, rather one that shares its failure domain, on the host that carries
// most, rather not the leader.
func (p *planner) surplus(a *assessment) *member {
	hosts := hostsOf(a.voters)
	without := map[*member]flaw{}
	for i, m := range a.voters {
		without[m] = flawOf(a.Spec, slices.Delete(slices.Clone(hosts), i, i+1))
	}
	return slices.MinFunc(a.voters, func(m, o *member) int {
		return cmp.Or(without[m].compare(without[o]), cmp.Compare(o.host.load(), m.host.load()),
			cmp.Compare(a.leads(m), a.leads(o)))
	})
}

func (p *planner) remove(a *assessment, m *member, format string, args ...any) {
	p.configure(a, m, pb.RequestKind_REMOVE_NODE, format, args...)
}

func (p *planner) configure(a *assessment, m *member, kind pb.RequestKind, format string, args ...any) {
	r := &pb.Request{Kind: kind, NodeId: m.NodeID, TargetAddress: m.Address}
	p.configureBy(a, r, m, format, args...)
}

// configureBy has a membership change proposed by a host that runs a voter,
// other than the one it is about; the leader's, unless that failed before.
func (p *planner) configureBy(a *assessment, r *pb.Request, about *member, format string, args ...any) bool {
	var able []*member
	for _, m := range a.voters {
		if !m.sure() || m.Role != pb.MemberRole_VOTER || m == about && len(a.voters) > 1 {
			continue
		}
		if m.NodeID == a.Leader {
			able = append([]*member{m}, able...)
		} else {
			able = append(able, m)
		}
	}
	if len(able) == 0 {
		p.waits(a.ID, "a host that can propose a membership change")
		return false
	}
	h := able[int(a.Config.Failures)%len(able)].host
	if !p.free(h) {
		p.waits(a.ID, "a free slot on %s, to %s", h.ID(), db.Describe(r))
		return false
	}
	r.NodehostId = h.ID()
	r.ConfigChangeId = a.Image.CCID
	p.operate(a, r, format, args...)
	return true
}

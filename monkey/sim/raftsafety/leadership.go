// SPDX-License-Identifier: Apache-2.0

package raftsafety

import (
	pb "github.com/lni/dragonboat/v3/raftpb"

	"github.com/drumbeat-raft/drumbeat/checker/invariant"
)

// leadership is the newest one of a node, by what the node itself sends.
type leadership struct {
	term    uint64 // 0: it has never led
	rounds  int    // of heartbeats that it sent since
	pending []pending
	evicted bool // one of pending was forgotten
	alone   bool // it was told that the node hears of no majority
}

// begin notes that the node leads in a term.
func (l *leadership) begin(term uint64) {
	if term > l.term {
		*l = leadership{term: term}
	}
}

// pair is a leader and a node that answers it.
type pair struct{ leader, node uint64 }

// answer is what a node answered in a term: up to which index it has the leader's log,
// and in which of the leader's rounds it was heard of last.
type answer struct {
	term, index uint64
	round       int
}

// answer notes an answer that reached a leader.
func (c *cluster) answer(m *pb.Message, index uint64) {
	p := pair{m.To, m.From}
	a := c.answers[p]
	if m.Term < a.term {
		return
	}
	if m.Term > a.term {
		a = answer{term: m.Term}
	}
	a.index = max(a.index, index)
	if l := c.logs[m.To]; l != nil && l.leadership.term == m.Term {
		a.round = l.leadership.rounds
	}
	c.answers[p] = a
}

// answered is up to which index a node told a leader, in its term, that it has its log.
func (c *cluster) answered(leader ballot, node uint64) uint64 {
	if a := c.answers[pair{leader.node, node}]; a.term == leader.term {
		return a.index
	}
	return 0
}

// tell notes up to which index a node was told that its log is committed, by a leader
// of a term.
func (c *cluster) tell(node, index, term uint64) {
	t := c.told[node]
	c.told[node] = position{max(t.term, term), max(t.index, index)}
}

// sends checks the messages that a node sends along with what it saves. Before, it had
// saved a state, and a log with an end.
func (w *Watcher) sends(c *cluster, l *log, u *pb.Update, was pb.State, end position) {
	for i := range u.Messages {
		if m := &u.Messages[i]; m.Type == pb.ReadIndexResp {
			l.leadership.answered(pb.SystemCtx{Low: m.Hint, High: m.HintHigh})
		}
	}
	waiting, led, beats := len(l.leadership.pending), uint64(0), false
	for i := range u.Messages {
		m := &u.Messages[i]
		switch by := (ballot{u.NodeID, m.Term}); m.Type {
		case pb.Replicate:
			led = m.Term
			w.lead(c, by)
			l.leadership.begin(m.Term)
		case pb.Heartbeat:
			if m.Term > l.leadership.term {
				waiting = 0
			}
			led = m.Term
			w.lead(c, by)
			l.leadership.begin(m.Term)
			beats = w.beat(c, l, m, was, waiting) || beats
		case pb.RequestVote:
			w.campaign(c, l, by, u, was)
		case pb.RequestVoteResp:
			if candidate, known := c.candidacies[ballot{m.To, m.Term}]; known && !m.Reject && end.term > 0 && candidate.before(end) && !replaces(u, end) {
				w.breach(c, invariant.Breach{Kind: invariant.OlderLogVote, Node: u.NodeID, Term: m.Term, Others: []uint64{m.To},
					Index: candidate.index, EntryTerm: candidate.term, LastIndex: end.index, LastTerm: end.term})
			}
		}
	}
	// What it sent before it has seen its own removal is not in this update: it looks at
	// what it has applied at first.
	if m := c.membershipAt(u.LastApplied); led > 0 && m != nil && !c.unsure && m.members[u.NodeID] != voter {
		w.breach(c, invariant.Breach{Kind: invariant.RemovedLeads, Node: u.NodeID, Term: led, Index: m.at, Voters: m.voters()})
	}
	if beats {
		w.round(c, l, u)
	}
	w.proposes(c, l, u, was)
}

// replaces reports whether an update takes something of a log away that ends there.
func replaces(u *pb.Update, end position) bool {
	return !pb.IsEmptySnapshot(u.Snapshot) || len(u.EntriesToSave) > 0 && u.EntriesToSave[0].Index <= end.index
}

// beat checks a heartbeat: it tells its receiver of no more than what the receiver said
// that it has. It reports whether it is one of a round, and not for a read that is new.
func (w *Watcher) beat(c *cluster, l *log, m *pb.Message, was pb.State, waiting int) bool {
	by := ballot{m.From, m.Term}
	if known := c.answered(by, m.To); m.Commit > known {
		w.breach(c, invariant.Breach{Kind: invariant.UnmatchedHeartbeat, Node: by.node, Term: by.term, Index: m.Commit, LastIndex: known, Others: []uint64{m.To}})
	}
	if m.Hint == 0 {
		return true
	}
	p := pending{pb.SystemCtx{Low: m.Hint, High: m.HintHigh}, was.Commit, len(c.memberships)}
	if l.leadership.ask(p) {
		return false
	}
	for _, old := range l.leadership.pending[:min(waiting, len(l.leadership.pending))] {
		if old.ctx == p.ctx {
			return true
		}
	}
	return false
}

// round counts a round of heartbeats, and checks that a leader who hears of no majority
// steps down, within some election timeouts by its own clock.
func (w *Watcher) round(c *cluster, l *log, u *pb.Update) {
	led := &l.leadership
	led.rounds++
	if c.about.ElectionRTT == 0 || c.about.HeartbeatRTT == 0 || led.alone {
		return
	}
	// A leader looks whom it heard of since it last looked, once an election timeout, and
	// an attempt to transfer the leadership has it wait for one more.
	most := 5*c.about.ElectionRTT/c.about.HeartbeatRTT + 5
	heard := func(node uint64) bool {
		a := c.answers[pair{u.NodeID, node}]
		return node == u.NodeID || a.term == led.term && led.rounds-a.round <= most
	}
	if by := c.goneBy(l.last); led.rounds > most && !majority(by, heard) {
		led.alone = true
		b := invariant.Breach{Kind: invariant.LeadsAlone, Node: u.NodeID, Term: led.term, Index: uint64(most), Voters: by[len(by)-1].voters()}
		for _, node := range b.Voters {
			if heard(node) {
				b.Others = append(b.Others, node)
			}
		}
		w.breach(c, b)
	}
}

// campaign checks that a candidate has applied the membership changes that it knows to
// be committed: it would count votes by an old membership.
func (w *Watcher) campaign(c *cluster, l *log, candidate ballot, u *pb.Update, was pb.State) {
	committed := was.Commit
	if u.State.Term == candidate.term && c.told[u.NodeID].term < candidate.term {
		committed = u.State.Commit // it has grown before, for nobody led in this term
	}
	for _, change := range l.changes {
		if change.index > u.LastApplied && change.index <= committed {
			w.breach(c, invariant.Breach{Kind: invariant.EarlyCandidacy, Node: candidate.node, Term: candidate.term, Index: change.index, LastIndex: u.LastApplied})
			return
		}
	}
}

// proposes checks that a leader has no more than one membership change in its log that
// is not committed, when it adds one.
func (w *Watcher) proposes(c *cluster, l *log, u *pb.Update, was pb.State) {
	for i := range u.EntriesToSave {
		if e := &u.EntriesToSave[i]; e.Type != pb.ConfigChangeEntry || e.Term != l.leadership.term {
			continue
		}
		open := []uint64{}
		for _, change := range l.changes {
			if change.index > was.Commit {
				open = append(open, change.index)
			}
		}
		if len(open) > 1 {
			w.breach(c, invariant.Breach{Kind: invariant.TwoChanges, Node: u.NodeID, Term: l.leadership.term, Index: open[len(open)-1], LastIndex: open[0]})
		}
		return
	}
}

// advance checks a node's word that more of its log is committed: a leader needs the
// answers of a majority, in its own term; anybody else was told so by a leader, up to
// where their logs are known to match.
func (w *Watcher) advance(c *cluster, l *log, u *pb.Update, was pb.State) {
	index, led := u.State.Commit, l.leadership.term
	if index <= was.Commit || l.gone || c.alone(u.NodeID, index) {
		return
	}
	by := ballot{u.NodeID, led}
	switch {
	case led < was.Term || led == 0: // it has not led since
		if known := max(c.told[u.NodeID].index, u.Snapshot.Index, l.least); index > known {
			w.breach(c, invariant.Breach{Kind: invariant.UnmatchedCommit, Node: u.NodeID, Term: u.State.Term, Index: index, EntryTerm: l.term(index), LastIndex: known})
		}
	case led == u.State.Term && l.term(index) == led:
		told := func(node uint64) bool { return node == u.NodeID || c.answered(by, node) >= index }
		if by := c.goneBy(index); !majority(by, told) {
			b := invariant.Breach{Kind: invariant.UnansweredCommit, Node: u.NodeID, Term: led, Index: index, Voters: by[len(by)-1].voters()}
			for _, node := range b.Voters {
				if told(node) {
					b.Others = append(b.Others, node)
				}
			}
			w.breach(c, b)
		}
	}
}

// show notes up to which index a leader shows a node its log.
func (c *cluster) show(m *pb.Message) {
	end := position{m.Term, m.LogIndex + uint64(len(m.Entries))}
	if c.shown[m.To].before(end) {
		c.shown[m.To] = end
	}
}

// saidMatch checks a node's answer that it has its leader's log up to an index: the
// leader has shown it that much, or it is committed, and what both have saved there is
// of one term. A leader replaces nothing in its own log.
func (w *Watcher) saidMatch(c *cluster, by ballot, m *pb.Message) {
	l, leader := c.logs[by.node], c.logs[m.To]
	if l == nil || l.gone {
		return
	}
	shown := c.shown[by.node] // perhaps by the next leader, whom it has not come to listen to
	if known := max(l.state.Commit, l.snapshot); m.LogIndex > known && l.state.Term == by.term && shown.term <= by.term {
		if shown.term == by.term {
			known = max(known, shown.index)
		}
		if m.LogIndex > known {
			w.breach(c, invariant.Breach{Kind: invariant.UnverifiedAnswer, Node: by.node, Term: by.term, Others: []uint64{m.To}, Index: m.LogIndex, LastIndex: known})
			return
		}
	}
	if leader == nil || l.state.Term != by.term || leader.state.Term != by.term || leader.leadership.term != by.term {
		return
	}
	if here, there := l.term(m.LogIndex), leader.term(m.LogIndex); here != 0 && there != 0 && here != there {
		w.breach(c, invariant.Breach{Kind: invariant.FalseMatch, Node: by.node, Term: by.term, Others: []uint64{m.To}, Index: m.LogIndex, EntryTerm: here, OtherTerm: there})
	}
}

// delivery is an entry that was sent to a node.
type delivery struct {
	node uint64
	position
}

// carry notes in which term entries were sent to a node that has not saved them.
func (c *cluster) carry(m *pb.Message) {
	l := c.logs[m.To]
	for i := range m.Entries {
		e := &m.Entries[i]
		if l != nil && l.term(e.Index) == e.Term {
			continue
		}
		d := delivery{m.To, position{e.Term, e.Index}}
		c.carried[d] = max(c.carried[d], uint32(m.Term))
	}
}

// takes checks that the entries that a node saves are its own as a leader, or were sent
// by a leader of no earlier term than it had saved before.
func (w *Watcher) takes(c *cluster, l *log, u *pb.Update, was pb.State) {
	told := false
	for i := range u.EntriesToSave {
		e := &u.EntriesToSave[i]
		d := delivery{u.NodeID, position{e.Term, e.Index}}
		by, sent := c.carried[d]
		if !sent {
			continue
		}
		delete(c.carried, d)
		if uint64(by) < was.Term && e.Term != l.leadership.term && !told {
			told = true
			w.breach(c, invariant.Breach{Kind: invariant.FromDeposed, Node: u.NodeID, Term: was.Term, Index: e.Index, EntryTerm: e.Term, LastTerm: uint64(by)})
		}
	}
}

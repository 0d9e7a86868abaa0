// SPDX-License-Identifier: Apache-2.0

package raftsafety

import (
	"testing"
	"time"

	pb "github.com/lni/dragonboat/v3/raftpb"
	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/checker/invariant"
)

// cluster7 is a cluster that a Watcher watches, of three voters unless said
// otherwise.
type cluster7 struct {
	t *testing.T
	w *Watcher
	c *cluster
}

func newCluster7(t *testing.T, voters ...uint64) *cluster7 {
	if voters == nil {
		voters = []uint64{1, 2, 3}
	}
	x := &cluster7{t: t, w: New(time.Now(), about)}
	x.c = x.w.cluster(7)
	addresses := map[uint64]string{}
	for _, v := range voters {
		addresses[v] = "a"
	}
	x.c.start(addresses)
	for _, v := range voters { // the bootstrap's own entries
		var terms []uint64
		for range voters {
			terms = append(terms, 1)
		}
		x.saves(v, pb.State{Term: 1, Commit: uint64(len(voters))}, 1, terms...)
	}
	return x
}

// saves has a node save a state, and entries of given terms from an index on. What is
// committed stays, if the state does not say it.
func (x *cluster7) saves(node uint64, s pb.State, first uint64, terms ...uint64) {
	if l := x.c.logs[node]; l != nil && !pb.IsEmptyState(s) && s.Commit == 0 {
		s.Commit = l.state.Commit
	}
	u := pb.Update{ClusterID: 7, NodeID: node, State: s}
	for i, term := range terms {
		u.EntriesToSave = append(u.EntriesToSave, pb.Entry{Index: first + uint64(i), Term: term})
	}
	x.save(u)
}

func (x *cluster7) save(u pb.Update) {
	require.NoError(x.t, x.w.saved(x.c, "h", &u))
}

// changes has a node save an entry that changes the membership.
func (x *cluster7) changes(node, index, term uint64, change pb.ConfigChange) {
	cmd, err := change.Marshal()
	require.NoError(x.t, err)
	x.save(pb.Update{ClusterID: 7, NodeID: node, EntriesToSave: []pb.Entry{{Index: index, Term: term, Type: pb.ConfigChangeEntry, Cmd: cmd}}})
}

func (x *cluster7) hear(messages ...pb.Message) {
	for i := range messages {
		messages[i].ClusterId = 7
	}
	x.w.Watch(same, messages)
}

func (x *cluster7) says(m pb.Message) {
	m.ClusterId = 7
	x.w.WatchSent(same, []pb.Message{m})
}

// leads elects a node, with the votes of others.
func (x *cluster7) leads(node, term uint64, votes ...uint64) {
	l := x.c.logs[node]
	x.saves(node, pb.State{Term: term, Vote: node, Commit: l.state.Commit}, 0)
	x.hear(pb.Message{Type: pb.RequestVote, From: node, Term: term, LogIndex: l.last, LogTerm: l.term(l.last)})
	for _, v := range votes {
		x.saves(v, pb.State{Term: term, Vote: node, Commit: x.c.log(v, "h").state.Commit}, 0)
		x.hear(pb.Message{Type: pb.RequestVoteResp, From: v, To: node, Term: term})
	}
	x.hear(pb.Message{Type: pb.Heartbeat, From: node, Term: term})
}

// answers has a leader hear that others have its log up to an index.
func (x *cluster7) answers(leader, index uint64, others ...uint64) {
	for _, node := range others {
		x.hear(pb.Message{Type: pb.ReplicateResp, From: node, To: leader, Term: x.c.logs[leader].state.Term, LogIndex: index})
	}
}

// commits has a leader and others commit an entry of its term, the next one.
func (x *cluster7) commits(leader uint64, others ...uint64) uint64 {
	l := x.c.logs[leader]
	index := l.last + 1
	for _, node := range append(others, leader) {
		x.saves(node, pb.State{}, index, l.state.Term)
	}
	x.answers(leader, index, others...)
	x.saves(leader, pb.State{Term: l.state.Term, Vote: leader, Commit: index}, 0)
	return index
}

// is checks what was found.
func (x *cluster7) is(kinds ...invariant.BreachKind) invariant.Breach {
	x.t.Helper()
	found := x.w.Found().Breaches
	got := []invariant.BreachKind{}
	for _, b := range found {
		require.EqualValues(x.t, 7, b.Cluster)
		got = append(got, b.Kind)
	}
	require.Equal(x.t, append([]invariant.BreachKind{}, kinds...), got)
	if len(found) == 0 {
		return invariant.Breach{}
	}
	return found[0]
}

func TestLeadersHaveMajorities(t *testing.T) {
	x := newCluster7(t)
	x.leads(1, 2, 2)
	x.is()
	x.leads(3, 3)
	b := x.is(invariant.MinorityLeader)
	require.Equal(t, []uint64{3}, b.Others)
	require.Equal(t, []uint64{1, 2, 3}, b.Voters)

	x = newCluster7(t, 1, 2, 3, 4)
	x.leads(1, 2, 2)
	x.is(invariant.MinorityLeader)

	x = newCluster7(t)
	x.leads(1, 2, 9) // who is no member
	x.is(invariant.MinorityLeader)
}

func TestCommitsHaveMajorities(t *testing.T) {
	committed := func(n uint64) pb.State { return pb.State{Term: 2, Vote: 1, Commit: n} }
	x := newCluster7(t)
	x.leads(1, 2, 2)
	x.saves(1, pb.State{}, 4, 2)
	x.saves(2, pb.State{}, 4, 2)
	x.answers(1, 5, 2)
	x.saves(1, committed(4), 0)
	x.is()
	x.saves(1, pb.State{}, 5, 2)
	x.hear(pb.Message{Type: pb.Replicate, From: 1, To: 2, Term: 2, LogIndex: 5, LogTerm: 2, Commit: 5})
	b := x.is(invariant.MinorityCommit)
	require.Equal(t, invariant.Breach{Kind: invariant.MinorityCommit, At: b.At, Cluster: 7, Node: 1, Term: 2, Index: 5, EntryTerm: 2,
		Others: []uint64{1}, Voters: []uint64{1, 2, 3}}, b)

	x = newCluster7(t)
	x.leads(1, 2, 2)
	x.saves(1, pb.State{}, 4, 2)
	x.saves(2, pb.State{Term: 2, Vote: 1, Commit: 3}, 4, 1) // of an earlier term
	x.answers(1, 4, 2)
	x.saves(1, committed(4), 0)
	x.is(invariant.MinorityCommit)
}

func TestObserversAreNoPartOfAMajority(t *testing.T) {
	for name, promoted := range map[string]bool{"an observer": false, "one that is promoted": true} {
		t.Run(name, func(t *testing.T) {
			x := newCluster7(t, 1, 2)
			x.leads(1, 2, 2)
			add := pb.ConfigChange{ConfigChangeId: 2, Type: pb.AddObserver, NodeID: 3}
			x.changes(1, 3, 2, add)
			x.changes(2, 3, 2, add)
			x.answers(1, 5, 2)
			x.saves(1, pb.State{Term: 2, Vote: 1, Commit: 3}, 0)
			x.saves(3, pb.State{Term: 2}, 1, 1, 1)
			x.changes(3, 3, 2, add)
			if promoted {
				promote := pb.ConfigChange{ConfigChangeId: 3, Type: pb.AddNode, NodeID: 3}
				x.changes(1, 4, 2, promote)
				x.changes(2, 4, 2, promote)
				x.changes(3, 4, 2, promote)
			} else {
				x.saves(1, pb.State{}, 4, 2)
				x.saves(2, pb.State{}, 4, 2)
				x.saves(3, pb.State{}, 4, 2)
			}
			x.saves(1, pb.State{Term: 2, Vote: 1, Commit: 4}, 0)
			x.saves(3, pb.State{}, 5, 2)
			x.saves(1, pb.State{}, 5, 2)
			x.is()
			x.saves(1, pb.State{Term: 2, Vote: 1, Commit: 5}, 0) // which 1 and 3 have
			if promoted {
				x.is()
			} else {
				x.is(invariant.MinorityCommit)
			}
		})
	}
}

func TestRefusedChangesChangeNothing(t *testing.T) {
	first := &membership{at: 3, members: map[uint64]role{1: voter, 2: voter, 3: voter, 4: observer, 5: witness}, removed: map[uint64]bool{9: true}}
	for name, x := range map[string]struct {
		change   pb.ConfigChange
		accepted bool
		voters   []uint64
	}{
		"a member is added":       {pb.ConfigChange{ConfigChangeId: 3, Type: pb.AddNode, NodeID: 6}, true, []uint64{1, 2, 3, 5, 6}},
		"by an old view":          {pb.ConfigChange{ConfigChangeId: 2, Type: pb.AddNode, NodeID: 6}, false, nil},
		"as a part of a start":    {pb.ConfigChange{ConfigChangeId: 0, Type: pb.AddNode, NodeID: 6, Initialize: true}, true, []uint64{1, 2, 3, 5, 6}},
		"one is removed":          {pb.ConfigChange{ConfigChangeId: 3, Type: pb.RemoveNode, NodeID: 1}, true, []uint64{2, 3, 5}},
		"an observer is promoted": {pb.ConfigChange{ConfigChangeId: 3, Type: pb.AddNode, NodeID: 4}, true, []uint64{1, 2, 3, 4, 5}},
		"an observer is added":    {pb.ConfigChange{ConfigChangeId: 3, Type: pb.AddObserver, NodeID: 6}, true, []uint64{1, 2, 3, 5}},
		"a witness is added":      {pb.ConfigChange{ConfigChangeId: 3, Type: pb.AddWitness, NodeID: 6}, true, []uint64{1, 2, 3, 5, 6}},
		"a member is added again": {pb.ConfigChange{ConfigChangeId: 3, Type: pb.AddNode, NodeID: 1}, false, nil},
		"a witness is promoted":   {pb.ConfigChange{ConfigChangeId: 3, Type: pb.AddNode, NodeID: 5}, false, nil},
		"a removed one is added":  {pb.ConfigChange{ConfigChangeId: 3, Type: pb.AddObserver, NodeID: 9}, false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			next := first.after(x.change, 8, true)
			require.Equal(t, x.accepted, next != nil)
			if next != nil {
				require.Equal(t, x.voters, next.voters())
				require.EqualValues(t, 8, next.at)
			}
			require.Equal(t, []uint64{1, 2, 3, 5}, first.voters())
		})
	}
	only := &membership{at: 1, members: map[uint64]role{1: voter}}
	require.Nil(t, only.after(pb.ConfigChange{ConfigChangeId: 1, Type: pb.RemoveNode, NodeID: 1}, 2, true))
	require.NotNil(t, first.after(pb.ConfigChange{ConfigChangeId: 2, Type: pb.AddNode, NodeID: 6}, 8, false))
}

func TestNoEntryOfAnEarlierTermIsCommittedByItself(t *testing.T) {
	for name, x := range map[string]struct {
		commit uint64
		want   []invariant.BreachKind
	}{
		"with one of its own": {5, nil},
		"by itself":           {4, []invariant.BreachKind{invariant.EarlierTermCommit}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster7(t)
			c.leads(1, 2, 2)
			c.saves(1, pb.State{}, 4, 2)
			c.saves(2, pb.State{}, 4, 2)
			c.leads(2, 3, 1)
			c.saves(2, pb.State{}, 5, 3)
			c.saves(1, pb.State{}, 5, 3)
			c.hear(pb.Message{Type: pb.Replicate, From: 2, Term: 3, LogIndex: 5, LogTerm: 3, Commit: x.commit})
			c.is(x.want...)
		})
	}
}

func TestReads(t *testing.T) {
	ask := pb.Message{Type: pb.ReadIndex, From: 3, To: 1, Hint: 11, HintHigh: 12}
	confirm := func(node, term uint64) pb.Message {
		return pb.Message{Type: pb.HeartbeatResp, From: node, To: 1, Term: term, Hint: 11, HintHigh: 12}
	}
	answer := pb.Message{Type: pb.ReadIndexResp, From: 1, To: 3, Term: 2, LogIndex: 4, Hint: 11, HintHigh: 12}
	older := answer
	older.LogIndex = 3
	for name, x := range map[string]struct {
		messages []pb.Message
		want     []invariant.BreachKind
	}{
		"confirmed":             {[]pb.Message{ask, confirm(2, 2), answer}, nil},
		"confirmed by nobody":   {[]pb.Message{ask, answer}, []invariant.BreachKind{invariant.MinorityRead}},
		"in an earlier term":    {[]pb.Message{ask, confirm(2, 1), answer}, []invariant.BreachKind{invariant.MinorityRead}},
		"by one who has no say": {[]pb.Message{ask, confirm(9, 2), answer}, []invariant.BreachKind{invariant.MinorityRead}},
		"of what was before":    {[]pb.Message{ask, confirm(2, 2), older}, []invariant.BreachKind{invariant.StaleRead}},
		"that nobody asked for": {[]pb.Message{answer}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster7(t)
			c.leads(1, 2, 2)
			c.commits(1, 2)
			c.hear(x.messages...)
			c.is(x.want...)
		})
	}
	c := newCluster7(t)
	c.leads(1, 2, 2)
	c.hear(ask, confirm(2, 2), answer)
	c.is(invariant.EarlyRead)
}

// A leader asks its followers to confirm its leadership for each read of its own
// clients, too.
func TestReadsOfALeadersOwnClients(t *testing.T) {
	asks := func(hint uint64) pb.Update {
		m := pb.Message{Type: pb.Heartbeat, From: 1, To: 2, Term: 2, Hint: hint, HintHigh: 1}
		return pb.Update{ClusterID: 7, NodeID: 1, Messages: []pb.Message{m, m}}
	}
	confirm := func(node, term, hint uint64) pb.Message {
		return pb.Message{Type: pb.HeartbeatResp, From: node, To: 1, Term: term, Hint: hint, HintHigh: 1}
	}
	serves := func(index uint64, hints ...uint64) pb.Update {
		u := pb.Update{ClusterID: 7, NodeID: 1}
		for _, hint := range hints {
			u.ReadyToReads = append(u.ReadyToReads, pb.ReadyToRead{Index: index, SystemCtx: pb.SystemCtx{Low: hint, High: 1}})
		}
		return u
	}
	for name, x := range map[string]struct {
		confirmed []pb.Message
		served    pb.Update
		want      []invariant.BreachKind
	}{
		"confirmed":               {[]pb.Message{confirm(2, 2, 12)}, serves(4, 11, 12), nil},
		"one that came before":    {[]pb.Message{confirm(2, 2, 12)}, serves(4, 11), nil},
		"one that came later":     {[]pb.Message{confirm(2, 2, 12)}, serves(4, 11, 13), []invariant.BreachKind{invariant.MinorityRead}},
		"not confirmed":           {nil, serves(4, 11), []invariant.BreachKind{invariant.MinorityRead}},
		"in an earlier term":      {[]pb.Message{confirm(2, 1, 11)}, serves(4, 11), []invariant.BreachKind{invariant.MinorityRead}},
		"by one who has no say":   {[]pb.Message{confirm(9, 2, 11)}, serves(4, 11), []invariant.BreachKind{invariant.MinorityRead}},
		"of what was before":      {[]pb.Message{confirm(2, 2, 12)}, serves(3, 11), []invariant.BreachKind{invariant.StaleRead}},
		"nobody was asked for it": {[]pb.Message{confirm(2, 2, 12)}, serves(4, 14), []invariant.BreachKind{invariant.UnansweredRead}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster7(t)
			c.leads(1, 2, 2)
			c.commits(1, 2)
			for hint := uint64(11); hint <= 13; hint++ {
				c.save(asks(hint))
			}
			c.hear(x.confirmed...)
			c.save(x.served)
			c.is(x.want...)
		})
	}
	c := newCluster7(t, 1)
	c.save(serves(1, 11))
	c.is() // it is alone
}

// A follower lets its clients read what a leader answered.
func TestReadsOfAFollowersClients(t *testing.T) {
	answer := pb.Message{Type: pb.ReadIndexResp, From: 1, To: 3, Term: 2, LogIndex: 4, Hint: 11, HintHigh: 1}
	for name, x := range map[string]struct {
		index, hint uint64
		want        []invariant.BreachKind
	}{
		"answered":           {4, 11, nil},
		"another one":        {4, 12, []invariant.BreachKind{invariant.UnansweredRead}},
		"of what was before": {3, 11, []invariant.BreachKind{invariant.StaleRead}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster7(t)
			c.leads(1, 2, 2)
			c.commits(1, 2)
			c.hear(answer)
			c.save(pb.Update{ClusterID: 7, NodeID: 3, ReadyToReads: []pb.ReadyToRead{{Index: x.index, SystemCtx: pb.SystemCtx{Low: x.hint, High: 1}}}})
			c.is(x.want...)
		})
	}
}

func TestReadsThatComeAgainHaveTheBoundsOfTheFirst(t *testing.T) {
	x := newCluster7(t)
	x.leads(1, 2, 2)
	ask := pb.Message{Type: pb.ReadIndex, From: 3, To: 1, Hint: 11}
	x.hear(ask, pb.Message{Type: pb.HeartbeatResp, From: 2, To: 1, Term: 2, Hint: 11})
	x.commits(1, 2)
	x.hear(ask, pb.Message{Type: pb.ReadIndexResp, From: 1, To: 3, Term: 2, LogIndex: 3, Hint: 11})
	x.is()
	for i := range uint64(3 * mostReads) {
		x.hear(pb.Message{Type: pb.ReadIndex, From: 3, To: 1, Hint: 20 + i})
	}
	require.Len(t, x.c.reads, mostReads)
}

// An answer that is under way for long is judged by the members of its time.
func TestAnswersMayBeLate(t *testing.T) {
	x := newCluster7(t, 1, 2)
	x.leads(1, 2, 2)
	x.hear(pb.Message{Type: pb.ReadIndex, From: 2, To: 1, Hint: 11}, pb.Message{Type: pb.HeartbeatResp, From: 2, To: 1, Term: 2, Hint: 11})
	index := uint64(2)
	for node := uint64(3); node <= 6; node++ {
		add := pb.ConfigChange{ConfigChangeId: index, Type: pb.AddNode, NodeID: node}
		index++
		for has := uint64(1); has < node; has++ {
			x.changes(has, index, 2, add)
			if has > 1 {
				x.answers(1, index, has)
			}
		}
		x.saves(1, pb.State{Term: 2, Vote: 1, Commit: index}, 0)
	}
	require.Len(t, x.c.memberships, 5)
	x.hear(pb.Message{Type: pb.ReadIndexResp, From: 1, To: 2, Term: 2, LogIndex: 2, Hint: 11})
	x.is()
}

func TestLogsMatch(t *testing.T) {
	x := newCluster7(t)
	x.saves(1, pb.State{}, 4, 2, 3)
	x.saves(2, pb.State{}, 4, 2, 3)
	x.saves(2, pb.State{}, 5, 3)
	x.saves(3, pb.State{}, 4, 1)
	x.is()
	x.saves(3, pb.State{}, 5, 3)
	b := x.is(invariant.LogsDiffer)
	require.Equal(t, invariant.Breach{Kind: invariant.LogsDiffer, At: b.At, Cluster: 7, Node: 3, Term: 1, Index: 5, EntryTerm: 3, LastTerm: 1, OtherTerm: 2}, b)
}

func voters(ccid uint64, ids ...uint64) pb.Membership {
	m := pb.Membership{ConfigChangeId: ccid, Addresses: map[uint64]string{}}
	for _, id := range ids {
		m.Addresses[id] = "a"
	}
	return m
}

func TestASnapshotStandsForWhatItHas(t *testing.T) {
	x := newCluster7(t)
	x.leads(1, 2, 2)
	x.commits(1, 2)
	x.commits(1, 2)
	x.commits(1, 2)
	x.save(pb.Update{ClusterID: 7, NodeID: 3, State: pb.State{Term: 2, Commit: 6}, Snapshot: pb.Snapshot{Index: 6, Term: 2, Membership: voters(3, 1, 2, 3)}})
	x.says(pb.Message{Type: pb.ReplicateResp, From: 3, To: 1, Term: 2, LogIndex: 6})
	x.saves(3, pb.State{}, 7, 2)
	x.saves(1, pb.State{}, 7, 2)
	x.answers(1, 7, 3)
	x.saves(1, pb.State{Term: 2, Vote: 1, Commit: 7}, 0)
	x.is()
}

func TestNothingIsSaidThatIsNotSaved(t *testing.T) {
	entry := pb.Message{Type: pb.ReplicateResp, From: 2, To: 1, Term: 2, LogIndex: 4}
	vote := pb.Message{Type: pb.RequestVoteResp, From: 2, To: 1, Term: 2}
	for name, x := range map[string]struct {
		saved   pb.State
		message pb.Message
		want    []invariant.BreachKind
	}{
		"an entry":                    {pb.State{Term: 2}, entry, []invariant.BreachKind{invariant.SaidUnsaved}},
		"an entry in an unsaved term": {pb.State{Term: 1}, pb.Message{Type: pb.ReplicateResp, From: 2, To: 1, Term: 2, LogIndex: 3}, []invariant.BreachKind{invariant.SaidUnsaved}},
		"an entry in a later term":    {pb.State{Term: 3}, entry, nil},
		"a vote":                      {pb.State{Term: 2}, vote, []invariant.BreachKind{invariant.SaidUnsaved}},
		"a vote in an unsaved term":   {pb.State{Term: 1, Vote: 1}, vote, []invariant.BreachKind{invariant.SaidUnsaved}},
		"a vote for another one":      {pb.State{Term: 2, Vote: 3}, vote, []invariant.BreachKind{invariant.SaidUnsaved}},
		"a vote that is saved":        {pb.State{Term: 2, Vote: 1}, vote, nil},
		"a candidacy":                 {pb.State{Term: 1}, pb.Message{Type: pb.RequestVote, From: 2, To: 1, Term: 2}, []invariant.BreachKind{invariant.SaidUnsaved}},
		"a refusal":                   {pb.State{Term: 2}, pb.Message{Type: pb.RequestVoteResp, From: 2, To: 1, Term: 2, Reject: true}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster7(t)
			c.saves(2, x.saved, 0)
			c.hear(pb.Message{Type: pb.Replicate, From: 1, To: 2, Term: 2, LogIndex: 4})
			c.says(x.message)
			c.is(x.want...)
		})
	}
}

// SPDX-License-Identifier: Apache-2.0

package raftsafety

import (
	"testing"

	pb "github.com/lni/dragonboat/v3/raftpb"
	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/checker/invariant"
)

// sends has a node send messages along with an update in which nothing is saved.
func (x *cluster7) sends(node, applied uint64, messages ...pb.Message) {
	for i := range messages {
		messages[i].From = node
	}
	x.save(pb.Update{ClusterID: 7, NodeID: node, LastApplied: applied, Messages: messages})
}

func TestANodeDoesNotGoBack(t *testing.T) {
	for name, x := range map[string]struct {
		state pb.State
		want  []invariant.BreachKind
	}{
		"a later term":           {pb.State{Term: 6, Commit: 3}, nil},
		"a vote":                 {pb.State{Term: 5, Vote: 1, Commit: 3}, nil},
		"an earlier term":        {pb.State{Term: 4, Vote: 1, Commit: 3}, []invariant.BreachKind{invariant.WentBack}},
		"less that is committed": {pb.State{Term: 5, Vote: 1, Commit: 2}, []invariant.BreachKind{invariant.WentBack}},
		"no vote any more":       {pb.State{Term: 5, Commit: 3}, []invariant.BreachKind{invariant.VoteChanged}},
		"another vote":           {pb.State{Term: 5, Vote: 3, Commit: 3}, []invariant.BreachKind{invariant.VoteChanged}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster7(t)
			c.saves(2, pb.State{Term: 5, Vote: 1, Commit: 3}, 0)
			c.saves(2, x.state, 0)
			if name == "a vote" {
				c.saves(3, pb.State{Term: 5}, 0)
				c.saves(3, x.state, 0)
			}
			c.is(x.want...)
		})
	}
}

func TestNoVoteForAnOlderLog(t *testing.T) {
	for name, x := range map[string]struct {
		candidate position
		want      []invariant.BreachKind
	}{
		"a newer one":         {position{2, 9}, nil},
		"the same":            {position{2, 5}, nil},
		"one of a later term": {position{3, 4}, nil},
		"a shorter one":       {position{2, 4}, []invariant.BreachKind{invariant.OlderLogVote}},
		"an older one":        {position{1, 9}, []invariant.BreachKind{invariant.OlderLogVote}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster7(t)
			c.saves(2, pb.State{Term: 2}, 4, 2, 2)
			c.hear(pb.Message{Type: pb.RequestVote, From: 3, To: 2, Term: 4, LogTerm: x.candidate.term, LogIndex: x.candidate.index})
			c.save(pb.Update{ClusterID: 7, NodeID: 2, State: pb.State{Term: 4, Vote: 3, Commit: 3}, Messages: []pb.Message{{Type: pb.RequestVoteResp, From: 2, To: 3, Term: 4}}})
			c.is(x.want...)
		})
	}
	c := newCluster7(t)
	c.saves(2, pb.State{Term: 2}, 4, 2)
	c.hear(pb.Message{Type: pb.RequestVote, From: 3, To: 2, Term: 4, LogTerm: 1, LogIndex: 3})
	c.sends(2, 3, pb.Message{Type: pb.RequestVoteResp, To: 3, Term: 4, Reject: true})
	c.is()
}

func TestAFollowerCommitsWhatItWasTold(t *testing.T) {
	entries := make([]pb.Entry, 2)
	for name, x := range map[string]struct {
		told pb.Message
		want []invariant.BreachKind
	}{
		"with the entries":     {pb.Message{Type: pb.Replicate, LogIndex: 3, LogTerm: 1, Commit: 9, Entries: entries}, nil},
		"in a heartbeat":       {pb.Message{Type: pb.Heartbeat, Commit: 5}, nil},
		"by a snapshot":        {pb.Message{Type: pb.InstallSnapshot, Snapshot: pb.Snapshot{Index: 5}}, nil},
		"fewer entries":        {pb.Message{Type: pb.Replicate, LogIndex: 3, LogTerm: 1, Commit: 9, Entries: entries[:1]}, []invariant.BreachKind{invariant.UnmatchedCommit}},
		"fewer are committed":  {pb.Message{Type: pb.Replicate, LogIndex: 3, LogTerm: 1, Commit: 4, Entries: entries}, []invariant.BreachKind{invariant.UnmatchedCommit}},
		"fewer in a heartbeat": {pb.Message{Type: pb.Heartbeat, Commit: 4}, []invariant.BreachKind{invariant.UnmatchedCommit}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster7(t)
			c.leads(1, 2, 2)
			c.saves(1, pb.State{}, 4, 2, 2)
			c.saves(2, pb.State{}, 4, 2, 2)
			c.answers(1, 5, 2)
			x.told.From, x.told.To, x.told.Term = 1, 2, 2
			for i := range x.told.Entries {
				x.told.Entries[i] = pb.Entry{Index: 4 + uint64(i), Term: 2}
			}
			c.hear(x.told)
			c.saves(2, pb.State{Term: 2, Vote: 1, Commit: 5}, 0)
			c.is(x.want...)
		})
	}
}

func TestAChunkTellsWhatIsCommitted(t *testing.T) {
	c := newCluster7(t)
	c.saves(2, pb.State{}, 4, 1)
	c.saves(3, pb.State{}, 4, 1)
	c.w.WatchChunk(same, &pb.Chunk{ClusterId: 7, NodeId: 2, Index: 4})
	c.saves(2, pb.State{Term: 1, Commit: 4}, 0)
	c.is()
}

func TestALeaderCommitsWhatItWasAnswered(t *testing.T) {
	for name, x := range map[string]struct {
		answer pb.Message
		want   []invariant.BreachKind
	}{
		"answered":           {pb.Message{Type: pb.ReplicateResp, From: 2, Term: 3, LogIndex: 4}, nil},
		"of less":            {pb.Message{Type: pb.ReplicateResp, From: 2, Term: 3, LogIndex: 3}, []invariant.BreachKind{invariant.UnansweredCommit}},
		"refused":            {pb.Message{Type: pb.ReplicateResp, From: 2, Term: 3, LogIndex: 4, Reject: true}, []invariant.BreachKind{invariant.UnansweredCommit}},
		"in an earlier term": {pb.Message{Type: pb.ReplicateResp, From: 2, Term: 2, LogIndex: 4}, []invariant.BreachKind{invariant.UnansweredCommit}},
		"by no member":       {pb.Message{Type: pb.ReplicateResp, From: 9, Term: 3, LogIndex: 4}, []invariant.BreachKind{invariant.UnansweredCommit}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster7(t)
			c.leads(1, 3, 2)
			c.saves(1, pb.State{}, 4, 3)
			c.saves(2, pb.State{}, 4, 3) // which has it, and did not say so
			x.answer.To = 1
			c.hear(x.answer)
			c.saves(1, pb.State{Term: 3, Vote: 1, Commit: 4}, 0)
			c.is(x.want...)
		})
	}
}

func TestAHeartbeatSaysWhatIsKnownToMatch(t *testing.T) {
	c := newCluster7(t)
	c.leads(1, 2, 2)
	index := c.commits(1, 2)
	c.sends(1, 3, pb.Message{Type: pb.Heartbeat, To: 2, Term: 2, Commit: index}, pb.Message{Type: pb.Heartbeat, To: 3, Term: 2})
	c.is()
	c.sends(1, 3, pb.Message{Type: pb.Heartbeat, To: 3, Term: 2, Commit: index})
	b := c.is(invariant.UnmatchedHeartbeat)
	require.Equal(t, invariant.Breach{Kind: invariant.UnmatchedHeartbeat, At: b.At, Cluster: 7, Node: 1, Term: 2, Index: 4, Others: []uint64{3}}, b)
}

func TestAnswersAreTrue(t *testing.T) {
	answer := pb.Message{Type: pb.ReplicateResp, From: 2, To: 1, Term: 3, LogIndex: 4}
	shown := pb.Message{Type: pb.Replicate, From: 1, To: 2, Term: 3, LogIndex: 4, LogTerm: 2}
	for name, x := range map[string]struct {
		term uint64 // of the follower's entry
		want []invariant.BreachKind
	}{"the same entry": {2, nil}, "another one": {1, []invariant.BreachKind{invariant.FalseMatch}}} {
		t.Run(name, func(t *testing.T) {
			c := newCluster7(t)
			c.saves(1, pb.State{Term: 2}, 4, 2)
			c.saves(2, pb.State{}, 4, x.term)
			c.leads(1, 3, 2)
			c.hear(shown)
			c.says(answer)
			c.is(x.want...)
		})
	}
	c := newCluster7(t)
	c.saves(1, pb.State{Term: 2}, 4, 2)
	c.saves(2, pb.State{}, 4, 1)
	c.leads(1, 3, 2)
	c.saves(1, pb.State{Term: 4}, 0) // whose log may have changed since
	c.hear(shown)
	c.says(answer)
	c.is()
}

func TestAnswersSayNoMoreThanTheLeaderHasShown(t *testing.T) {
	shows := func(term uint64) pb.Message {
		return pb.Message{Type: pb.Replicate, From: 1, To: 2, Term: term, LogIndex: 3, LogTerm: 1, Entries: []pb.Entry{{Index: 4, Term: 1}}}
	}
	for name, x := range map[string]struct {
		shown  pb.Message
		answer uint64
		want   []invariant.BreachKind
	}{
		"what it has shown":    {shows(2), 4, nil},
		"more":                 {shows(2), 5, []invariant.BreachKind{invariant.UnverifiedAnswer}},
		"by the next leader":   {shows(3), 5, nil},
		"in an earlier term":   {shows(1), 4, []invariant.BreachKind{invariant.UnverifiedAnswer}},
		"what it has long had": {pb.Message{Type: pb.Heartbeat, From: 1, To: 2, Term: 2}, 3, nil},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster7(t)
			c.saves(2, pb.State{}, 4, 1, 1, 1)
			c.leads(1, 2, 2)
			c.hear(x.shown)
			c.says(pb.Message{Type: pb.ReplicateResp, From: 2, To: 1, Term: 2, LogIndex: x.answer})
			c.is(x.want...)
		})
	}
}

func TestOneMembershipChangeAtATime(t *testing.T) {
	change := func(index uint64) pb.ConfigChange {
		return pb.ConfigChange{ConfigChangeId: index, Type: pb.AddObserver, NodeID: 9}
	}
	for name, x := range map[string]struct {
		committed bool
		want      []invariant.BreachKind
	}{"the first one is committed": {true, nil}, "it is not": {false, []invariant.BreachKind{invariant.TwoChanges}}} {
		t.Run(name, func(t *testing.T) {
			c := newCluster7(t)
			c.leads(1, 2, 2)
			c.changes(1, 4, 2, change(3))
			c.changes(2, 4, 2, change(3))
			c.answers(1, 4, 2)
			if x.committed {
				c.saves(1, pb.State{Term: 2, Vote: 1, Commit: 4}, 0)
			}
			c.changes(1, 5, 2, change(4))
			c.is(x.want...)
		})
	}
}

func TestACandidateHasAppliedTheChangesThatItKnows(t *testing.T) {
	for name, x := range map[string]struct {
		applied uint64
		want    []invariant.BreachKind
	}{"applied": {4, nil}, "not applied": {3, []invariant.BreachKind{invariant.EarlyCandidacy}}} {
		t.Run(name, func(t *testing.T) {
			c := newCluster7(t)
			c.leads(1, 2, 2)
			c.changes(2, 4, 2, pb.ConfigChange{ConfigChangeId: 3, Type: pb.AddObserver, NodeID: 9})
			c.hear(pb.Message{Type: pb.Heartbeat, From: 1, To: 2, Term: 2, Commit: 4})
			c.saves(2, pb.State{Term: 2, Vote: 1, Commit: 4}, 0)
			c.saves(1, pb.State{}, 4, 2)
			c.save(pb.Update{ClusterID: 7, NodeID: 2, State: pb.State{Term: 3, Vote: 2, Commit: 4}, LastApplied: x.applied,
				Messages: []pb.Message{{Type: pb.RequestVote, From: 2, To: 3, Term: 3}}})
			found := c.w.Found().Breaches
			kinds := []invariant.BreachKind(nil)
			for _, b := range found {
				if b.Check() == "changes" {
					kinds = append(kinds, b.Kind)
				}
			}
			require.Equal(t, x.want, kinds)
		})
	}
}

func TestACandidateThatHearsOfAChangeJustBefore(t *testing.T) {
	for name, x := range map[string]struct {
		term uint64 // of who tells it so
		want []invariant.BreachKind
	}{"before it campaigns": {2, []invariant.BreachKind{invariant.EarlyCandidacy}}, "perhaps after it": {3, nil}} {
		t.Run(name, func(t *testing.T) {
			c := newCluster7(t)
			c.leads(1, 2, 2)
			change := pb.ConfigChange{ConfigChangeId: 3, Type: pb.AddObserver, NodeID: 9}
			c.changes(1, 4, 2, change)
			c.changes(2, 4, 2, change)
			c.answers(1, 4, 2)
			c.hear(pb.Message{Type: pb.Heartbeat, From: 1, To: 2, Term: x.term, Commit: 4})
			c.save(pb.Update{ClusterID: 7, NodeID: 2, State: pb.State{Term: 3, Vote: 2, Commit: 4}, LastApplied: 3,
				Messages: []pb.Message{{Type: pb.RequestVote, From: 2, To: 3, Term: 3}}})
			kinds := []invariant.BreachKind(nil)
			for _, b := range c.w.Found().Breaches {
				if b.Check() == "changes" {
					kinds = append(kinds, b.Kind)
				}
			}
			require.Equal(t, x.want, kinds)
		})
	}
}

func TestWhoIsRemovedLeadsNoMore(t *testing.T) {
	for _, kind := range []pb.MessageType{pb.Heartbeat, pb.Replicate} {
		t.Run(kind.String(), func(t *testing.T) {
			c := newCluster7(t)
			c.leads(1, 2, 2)
			remove := pb.ConfigChange{ConfigChangeId: 3, Type: pb.RemoveNode, NodeID: 1}
			c.changes(1, 4, 2, remove)
			c.changes(2, 4, 2, remove)
			c.changes(3, 4, 2, remove)
			c.answers(1, 4, 2, 3)
			c.saves(1, pb.State{Term: 2, Vote: 1, Commit: 4}, 0)
			c.sends(1, 3, pb.Message{Type: kind, To: 2, Term: 2}) // it has not applied it
			c.is()
			c.sends(1, 4, pb.Message{Type: kind, To: 2, Term: 2})
			b := c.is(invariant.RemovedLeads)
			require.Equal(t, []uint64{2, 3}, b.Voters)
			require.EqualValues(t, 4, b.Index)
		})
	}
}

func TestAnObserverHasCaughtUpWhenItIsPromoted(t *testing.T) {
	for name, x := range map[string]struct {
		has  uint64
		want []invariant.BreachKind
	}{"with its own addition": {4, nil}, "behind it": {3, []invariant.BreachKind{invariant.PromotedBehind}}} {
		t.Run(name, func(t *testing.T) {
			c := newCluster7(t)
			c.leads(1, 2, 2)
			add := pb.ConfigChange{ConfigChangeId: 3, Type: pb.AddObserver, NodeID: 4}
			promote := pb.ConfigChange{ConfigChangeId: 4, Type: pb.AddNode, NodeID: 4}
			c.saves(4, pb.State{Term: 2}, 1, 1, 1, 1)
			for _, node := range []uint64{1, 2, 4} {
				if node != 4 || x.has >= 4 {
					c.changes(node, 4, 2, add)
				}
			}
			c.answers(1, 5, 2)
			c.saves(1, pb.State{Term: 2, Vote: 1, Commit: 4}, 0)
			c.changes(1, 5, 2, promote)
			c.changes(2, 5, 2, promote)
			c.saves(1, pb.State{Term: 2, Vote: 1, Commit: 5}, 0)
			c.is(x.want...)
		})
	}
}

func TestALeaderThatHearsOfNobodyStepsDown(t *testing.T) {
	beat := []pb.Message{{Type: pb.Heartbeat, To: 2, Term: 2}, {Type: pb.Heartbeat, To: 3, Term: 2}}
	rounds := 5*10/2 + 5
	for name, x := range map[string]struct {
		answer pb.Message
		want   []invariant.BreachKind
	}{
		"it hears of one":    {pb.Message{Type: pb.HeartbeatResp, From: 3, To: 1, Term: 2}, nil},
		"of an earlier term": {pb.Message{Type: pb.HeartbeatResp, From: 3, To: 1, Term: 1}, []invariant.BreachKind{invariant.LeadsAlone}},
		"of a stranger":      {pb.Message{Type: pb.HeartbeatResp, From: 9, To: 1, Term: 2}, []invariant.BreachKind{invariant.LeadsAlone}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster7(t)
			c.leads(1, 2, 2)
			for range rounds {
				c.sends(1, 3, beat...)
			}
			c.is()
			c.hear(x.answer)
			for range rounds {
				c.sends(1, 3, beat...)
			}
			c.is(x.want...)
		})
	}
	c := newCluster7(t)
	c.leads(1, 2, 2)
	for i := range uint64(3 * rounds) { // for reads, not by its clock
		c.sends(1, 3, pb.Message{Type: pb.Heartbeat, To: 2, Term: 2, Hint: 11 + i}, pb.Message{Type: pb.Heartbeat, To: 3, Term: 2, Hint: 11 + i})
	}
	c.is()
}

func TestEntriesAreTheSameInAllLogs(t *testing.T) {
	save := func(node uint64, e pb.Entry) pb.Update {
		e.Index, e.Term = 4, 2
		return pb.Update{ClusterID: 7, NodeID: node, EntriesToSave: []pb.Entry{e}}
	}
	for name, x := range map[string]struct {
		entry pb.Entry
		want  []invariant.BreachKind
	}{
		"the same":              {pb.Entry{Cmd: []byte("a"), ClientID: 5}, nil},
		"what a witness has":    {pb.Entry{Type: pb.MetadataEntry}, nil},
		"another command":       {pb.Entry{Cmd: []byte("b"), ClientID: 5}, []invariant.BreachKind{invariant.EntriesDiffer}},
		"of another session":    {pb.Entry{Cmd: []byte("a"), ClientID: 6}, []invariant.BreachKind{invariant.EntriesDiffer}},
		"another type of entry": {pb.Entry{Cmd: []byte("a"), ClientID: 5, Type: pb.EncodedEntry}, []invariant.BreachKind{invariant.EntriesDiffer}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster7(t)
			c.save(save(1, pb.Entry{Cmd: []byte("a"), ClientID: 5}))
			c.save(save(2, x.entry))
			c.is(x.want...)
		})
	}
}

func TestNothingIsTakenOverFromADeposedLeader(t *testing.T) {
	for name, x := range map[string]struct {
		by   uint64 // the term of who sends the entry of term 2
		had  uint64 // the term that its receiver has saved
		want []invariant.BreachKind
	}{
		"of its term":        {2, 2, nil},
		"of a later term":    {4, 2, nil},
		"of an earlier term": {2, 3, []invariant.BreachKind{invariant.FromDeposed}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster7(t)
			c.saves(2, pb.State{Term: x.had}, 0)
			c.w.Watch(same, []pb.Message{{Type: pb.Replicate, ClusterId: 7, From: 1, To: 2, Term: x.by, LogIndex: 3, LogTerm: 1, Entries: []pb.Entry{{Index: 4, Term: 2}}}})
			c.saves(2, pb.State{}, 4, 2)
			c.is(x.want...)
			require.Empty(t, c.c.carried)
		})
	}
}

func TestSnapshotsFitTheLog(t *testing.T) {
	for name, x := range map[string]struct {
		snapshot pb.Snapshot
		commit   uint64 // of who takes it over
		want     []invariant.BreachKind
	}{
		"it does":             {pb.Snapshot{Index: 4, Term: 2, Membership: voters(3, 1, 2, 3)}, 3, nil},
		"an older one":        {pb.Snapshot{Index: 4, Term: 2, Membership: voters(3, 1, 2, 3)}, 4, []invariant.BreachKind{invariant.OldSnapshot}},
		"of another term":     {pb.Snapshot{Index: 4, Term: 1, Membership: voters(3, 1, 2, 3)}, 3, []invariant.BreachKind{invariant.SnapshotDiffers}},
		"without a member":    {pb.Snapshot{Index: 4, Term: 2, Membership: voters(3, 1, 2)}, 3, []invariant.BreachKind{invariant.SnapshotDiffers}},
		"of another change":   {pb.Snapshot{Index: 4, Term: 2, Membership: voters(2, 1, 2, 3)}, 3, []invariant.BreachKind{invariant.SnapshotDiffers}},
		"with another member": {pb.Snapshot{Index: 4, Term: 2, Membership: voters(3, 1, 2, 4)}, 3, []invariant.BreachKind{invariant.SnapshotDiffers}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster7(t)
			c.leads(1, 2, 2)
			c.commits(1, 2)
			c.save(pb.Update{ClusterID: 7, NodeID: 1, CommittedEntries: []pb.Entry{{Index: 4, Term: 2}}})
			c.hear(pb.Message{Type: pb.InstallSnapshot, From: 1, To: 3, Term: 2, Snapshot: pb.Snapshot{Index: 4}})
			c.saves(3, pb.State{Term: 2, Commit: x.commit}, 0)
			c.save(pb.Update{ClusterID: 7, NodeID: 3, Snapshot: x.snapshot})
			c.is(x.want...)
		})
	}
}

func (f *fakeLogDB) SaveSnapshots([]pb.Update) error { return nil }

func (f *fakeLogDB) RemoveEntriesTo(uint64, uint64, uint64) error { return nil }

func TestTheLogIsKeptFromTheSnapshotOn(t *testing.T) {
	c := newCluster7(t)
	d := &logDB{ILogDB: &fakeLogDB{}, watcher: c.w, host: "h", named: same, killed: func() bool { return false }}
	require.NoError(t, d.SaveSnapshots([]pb.Update{{ClusterID: 7, NodeID: 2, Snapshot: pb.Snapshot{Index: 3, Term: 1, Membership: voters(3, 1, 2, 3)}}}))
	require.NoError(t, d.RemoveEntriesTo(7, 2, 3))
	c.is()
	require.NoError(t, d.RemoveEntriesTo(7, 2, 4))
	b := c.is(invariant.CompactedTooFar)
	require.Equal(t, []uint64{4, 3}, []uint64{b.Index, b.LastIndex})
}

// SPDX-License-Identifier: Apache-2.0

package raftsafety

import (
	"testing"
	"time"

	pb "github.com/lni/dragonboat/v3/raftpb"
	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/checker/invariant"
)

func candidacy(node, term, lastTerm, lastIndex uint64) pb.Message {
	return pb.Message{Type: pb.RequestVote, ClusterId: 7, From: node, To: 9, Term: term, LogTerm: lastTerm, LogIndex: lastIndex}
}

func vote(voter, candidate, term uint64) pb.Message {
	return pb.Message{Type: pb.RequestVoteResp, ClusterId: 7, From: voter, To: candidate, Term: term}
}

// replicate is a leader's message behind an entry, with entries of given terms.
func replicate(leader, term, prevTerm, prevIndex, commit uint64, terms ...uint64) pb.Message {
	m := pb.Message{Type: pb.Replicate, ClusterId: 7, From: leader, Term: term, LogTerm: prevTerm, LogIndex: prevIndex, Commit: commit}
	for i, t := range terms {
		m.Entries = append(m.Entries, pb.Entry{Index: prevIndex + 1 + uint64(i), Term: t})
	}
	return m
}

func same(id uint64) uint64 { return id }

func TestWatcher(t *testing.T) {
	rejected := vote(3, 2, 5)
	rejected.Reject = true
	other := vote(3, 2, 5)
	other.ClusterId = 8
	for name, x := range map[string]struct {
		messages []pb.Message
		want     []invariant.Breach // but for At
	}{
		"all is well": {messages: []pb.Message{
			candidacy(1, 2, 1, 3), vote(2, 1, 2), vote(3, 1, 2), replicate(1, 2, 1, 3, 3, 2), replicate(1, 2, 2, 4, 4),
			candidacy(2, 3, 2, 4), vote(3, 2, 3), replicate(2, 3, 2, 4, 4, 3), replicate(2, 3, 3, 5, 5),
		}},
		"a vote that comes twice":         {messages: []pb.Message{vote(3, 1, 5), vote(3, 1, 5)}},
		"votes in two terms":              {messages: []pb.Message{vote(3, 1, 5), vote(3, 2, 6)}},
		"a vote that is refused":          {messages: []pb.Message{vote(3, 1, 5), rejected}},
		"votes in two clusters":           {messages: []pb.Message{vote(3, 1, 5), other}},
		"two votes":                       {[]pb.Message{vote(3, 1, 5), vote(3, 2, 5)}, []invariant.Breach{{Kind: invariant.TwoVotes, Node: 3, Term: 5, Others: []uint64{1, 2}}}},
		"a candidate that votes":          {[]pb.Message{candidacy(1, 5, 1, 1), vote(1, 2, 5)}, []invariant.Breach{{Kind: invariant.TwoVotes, Node: 1, Term: 5, Others: []uint64{1, 2}}}},
		"an entry that is not committed":  {messages: []pb.Message{replicate(1, 2, 1, 3, 3, 2, 2), candidacy(2, 3, 1, 3), replicate(2, 3, 1, 3, 3, 3)}},
		"a leader with newer entries":     {messages: []pb.Message{replicate(1, 2, 2, 4, 4), candidacy(2, 4, 3, 3), replicate(2, 4, 3, 3, 3)}},
		"a leader that lacks an entry":    {[]pb.Message{replicate(1, 2, 2, 4, 4), candidacy(2, 3, 2, 3), replicate(2, 3, 2, 3, 3)}, []invariant.Breach{{Kind: invariant.IncompleteLeader, Node: 2, Term: 3, Index: 4, EntryTerm: 2, Others: []uint64{1}, LastIndex: 3, LastTerm: 2}}},
		"a leader of an older log":        {[]pb.Message{replicate(1, 2, 2, 4, 4), candidacy(2, 3, 1, 9), {Type: pb.Heartbeat, ClusterId: 7, From: 2, Term: 3}}, []invariant.Breach{{Kind: invariant.IncompleteLeader, Node: 2, Term: 3, Index: 4, EntryTerm: 2, Others: []uint64{1}, LastIndex: 9, LastTerm: 1}}},
		"a commit that is heard of late":  {[]pb.Message{candidacy(2, 3, 2, 3), replicate(2, 3, 2, 3, 3), replicate(1, 2, 2, 4, 4)}, []invariant.Breach{{Kind: invariant.IncompleteLeader, Node: 2, Term: 3, Index: 4, EntryTerm: 2, Others: []uint64{1}, LastIndex: 3, LastTerm: 2}}},
		"an entry that is another one":    {[]pb.Message{replicate(1, 2, 2, 4, 4), replicate(2, 3, 3, 4, 4)}, []invariant.Breach{{Kind: invariant.TwoCommits, Node: 2, Term: 3, Index: 4, EntryTerm: 3, LastTerm: 2}}},
		"the beginning of a log":          {messages: []pb.Message{replicate(1, 2, 0, 0, 4), replicate(1, 2, 0, 3, 4)}},
		"a commit of the leader's own":    {messages: []pb.Message{candidacy(1, 2, 1, 3), replicate(1, 2, 1, 3, 3, 2), replicate(1, 2, 2, 4, 4), replicate(1, 2, 2, 4, 4, 2)}},
		"a candidate that nobody follows": {messages: []pb.Message{replicate(1, 2, 2, 4, 4), candidacy(2, 3, 2, 3)}},
	} {
		t.Run(name, func(t *testing.T) {
			w := New(time.Now(), about)
			w.Watch(same, x.messages)
			found := w.Found().Breaches
			require.Len(t, found, len(x.want))
			for i, b := range found {
				require.NotZero(t, b.At)
				x.want[i].Cluster = 7
				b.At = 0
				require.Equal(t, x.want[i], b)
			}
		})
	}
}

func TestWatcherCounts(t *testing.T) {
	w := New(time.Now(), about)
	w.Watch(same, []pb.Message{
		candidacy(1, 2, 1, 3), vote(2, 1, 2), replicate(1, 2, 1, 3, 3, 2), replicate(1, 2, 2, 4, 5, 2), replicate(1, 2, 2, 4, 5, 2),
		{Type: pb.ReplicateResp, ClusterId: 7, From: 2, Term: 2, LogIndex: 4},
	})
	found := w.Found()
	require.Equal(t, 2, found.Votes)
	require.Equal(t, 1, found.Leaders)
	require.Equal(t, 3, found.Commits) // 3, 4 and 5
	for i := range uint64(100) {
		w.Watch(same, []pb.Message{vote(3, 1, i), vote(3, 2, i)})
	}
	require.Len(t, w.Found().Breaches, mostBreaches)
}

func about(uint64) About { return About{Ordered: true, ElectionRTT: 10, HeartbeatRTT: 2} }

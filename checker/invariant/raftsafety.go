// SPDX-License-Identifier: Apache-2.0

package invariant

// RaftSafety is what the messages that Raft nodes exchanged, and the logs that they
// saved, say of its safety.
type RaftSafety struct {
	Votes   int `json:"votes"`   // that were given
	Leaders int `json:"leaders"` // whose candidacy was seen
	Commits int `json:"commits"` // entries that were committed
	Reads   int `json:"reads"`   // that leaders answered
	Entries int `json:"entries"` // that were saved
	Starts  int `json:"starts"`  // of nodes, on what they had saved
	// Snapshots were taken over from leaders; LateSnapshots arrived at nodes that had
	// gone past them, and are to be refused.
	Snapshots     int `json:"snapshots"`
	LateSnapshots int `json:"late_snapshots"`
	// Breaches are the first ones of each kind.
	Breaches []Breach `json:"breaches"`
}

// BreachKind is which property of Raft was broken.
type BreachKind string

// The kinds.
const (
	TwoVotes          BreachKind = "two votes"
	IncompleteLeader  BreachKind = "incomplete leader"
	TwoCommits        BreachKind = "two commits"
	EarlierTermCommit BreachKind = "commit of an earlier term"
	MinorityLeader    BreachKind = "leader of a minority"
	MinorityCommit    BreachKind = "commit of a minority"
	MinorityRead      BreachKind = "read of a minority"
	StaleRead         BreachKind = "stale read"
	EarlyRead         BreachKind = "early read"
	LogsDiffer        BreachKind = "logs differ"
	SaidUnsaved       BreachKind = "said and not saved"
	Forgotten         BreachKind = "forgotten"
	NotReplaced       BreachKind = "not replaced"
	ForgottenCommit   BreachKind = "forgotten commit"
	ForgottenSnapshot BreachKind = "forgotten snapshot"
	EntryChanged      BreachKind = "entry changed"

	VoteChanged        BreachKind = "vote changed"
	OlderLogVote       BreachKind = "vote for an older log"
	WentBack           BreachKind = "went back"
	EntriesDiffer      BreachKind = "entries differ"
	FalseMatch         BreachKind = "false match"
	UnverifiedAnswer   BreachKind = "unverified answer"
	FromDeposed        BreachKind = "entry of a deposed leader"
	UnmatchedCommit    BreachKind = "commit of what is not known to match"
	UnmatchedHeartbeat BreachKind = "heartbeat beyond what is known to match"
	UnansweredCommit   BreachKind = "commit without answers"
	UnansweredRead     BreachKind = "read without an answer"
	TwoChanges         BreachKind = "two changes"
	EarlyCandidacy     BreachKind = "early candidacy"
	RemovedLeads       BreachKind = "removed leader"
	PromotedBehind     BreachKind = "promoted behind"
	LeadsAlone         BreachKind = "leads alone"
	OldSnapshot        BreachKind = "old snapshot"
	SnapshotDiffers    BreachKind = "snapshot differs"
	CompactedTooFar    BreachKind = "compacted too far"
)

// checkOf is which check judges a kind.
var checkOf = map[BreachKind]string{
	TwoVotes: "votes", IncompleteLeader: "completeness", TwoCommits: "commits", EarlierTermCommit: "commits",
	MinorityLeader: "quorums", MinorityCommit: "quorums", MinorityRead: "quorums",
	StaleRead: "readindex", EarlyRead: "readindex", LogsDiffer: "matching", SaidUnsaved: "saved", Forgotten: "saved", NotReplaced: "saved",
	ForgottenCommit: "saved", ForgottenSnapshot: "saved", EntryChanged: "saved",
	VoteChanged: "votes", OlderLogVote: "votes", WentBack: "saved", EntriesDiffer: "matching", FalseMatch: "matching", UnverifiedAnswer: "matching", FromDeposed: "matching",
	UnmatchedCommit: "commits", UnmatchedHeartbeat: "commits", UnansweredCommit: "quorums", UnansweredRead: "readindex",
	TwoChanges: "changes", EarlyCandidacy: "changes", RemovedLeads: "changes", PromotedBehind: "changes", LeadsAlone: "stepping_down",
	OldSnapshot: "snapshots", SnapshotDiffers: "snapshots", CompactedTooFar: "snapshots",
}

// Breach is what a node did that Raft forbids.
type Breach struct {
	Kind    BreachKind `json:"kind"`
	At      int64      `json:"at"`
	Cluster uint64     `json:"cluster"`
	Node    uint64     `json:"node"`
	Term    uint64     `json:"term"` // of the node
	// Others are the two candidates; the leader that committed the entry; those who
	// voted, saved or confirmed; the candidate that was voted for; or the follower
	// that was answered.
	Others []uint64 `json:"others,omitempty"`
	// Voters are the members of whom a majority was needed.
	Voters []uint64 `json:"voters,omitempty"`
	// Index and EntryTerm are those of an entry, or Index is what a node answered or
	// found.
	Index     uint64 `json:"index,omitempty"`
	EntryTerm uint64 `json:"entry_term,omitempty"`
	// LastIndex and LastTerm are those of the last entry of the node's log; LastTerm is
	// the other term of the committed entry, of the entry before, or of what replaced the
	// entry; and they are what was to be found.
	LastIndex uint64 `json:"last_index,omitempty"`
	LastTerm  uint64 `json:"last_term,omitempty"`
	// OtherTerm is that of the entry before in another log.
	OtherTerm uint64 `json:"other_term,omitempty"`
	Host      string `json:"host,omitempty"`
}

// Check is the key of the check that judges the breach.
func (b Breach) Check() string { return checkOf[b.Kind] }

var needRaftSafety = Need{"the messages of Raft", func(f *Facts) bool { return f.RaftSafety != nil }}

// breaches calls say with each breach of a kind.
func breaches(f *Facts, kind BreachKind, say func(b Breach)) {
	for _, b := range f.RaftSafety.Breaches {
		if b.Kind == kind {
			say(b)
		}
	}
}

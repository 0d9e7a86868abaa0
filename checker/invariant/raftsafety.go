// SPDX-License-Identifier: Apache-2.0

package invariant

// RaftSafety is what the messages that Raft nodes exchanged say of its safety.
type RaftSafety struct {
	Votes   int `json:"votes"`   // that were given
	Leaders int `json:"leaders"` // whose candidacy was seen
	Commits int `json:"commits"` // entries that a leader had committed
	// Breaches are the first ones of each kind.
	Breaches []Breach `json:"breaches"`
}

// BreachKind is which property of Raft was broken.
type BreachKind string

// The kinds.
const (
	TwoVotes         BreachKind = "two votes"
	IncompleteLeader BreachKind = "incomplete leader"
	TwoCommits       BreachKind = "two commits"
)

// Breach is what a node did that Raft forbids.
type Breach struct {
	Kind    BreachKind `json:"kind"`
	At      int64      `json:"at"`
	Cluster uint64     `json:"cluster"`
	Node    uint64     `json:"node"`
	Term    uint64     `json:"term"` // of the node
	// Others are the two candidates, or the leader that committed the entry.
	Others []uint64 `json:"others,omitempty"`
	// Index and EntryTerm are those of a committed entry.
	Index     uint64 `json:"index,omitempty"`
	EntryTerm uint64 `json:"entry_term,omitempty"`
	// LastIndex and LastTerm are those of the last entry of the leader's log, or
	// LastTerm is the other term of the committed entry.
	LastIndex uint64 `json:"last_index,omitempty"`
	LastTerm  uint64 `json:"last_term,omitempty"`
}

// Check is the key of the check that judges the breach.
func (b Breach) Check() string {
	switch b.Kind {
	case TwoVotes:
		return "votes"
	case IncompleteLeader:
		return "completeness"
	default:
		return "commits"
	}
}

var needRaftSafety = Need{"the messages of Raft", func(f *Facts) bool { return f.RaftSafety != nil }}

// breaches calls say with each breach of a kind.
func breaches(f *Facts, kind BreachKind, say func(b Breach)) {
	for _, b := range f.RaftSafety.Breaches {
		if b.Kind == kind {
			say(b)
		}
	}
}

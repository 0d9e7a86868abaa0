// SPDX-License-Identifier: Apache-2.0

package raftsafety

import (
	"slices"

	"github.com/drumbeat-raft/drumbeat/checker/invariant"
)

// vote notes a vote; a candidacy is one for the candidate itself.
func (w *Watcher) vote(c *cluster, voter ballot, candidate uint64) {
	first, voted := c.votes[voter]
	if !voted {
		c.votes[voter] = candidate
		w.found.Votes++
		return
	}
	if first != candidate {
		w.breach(c, invariant.Breach{Kind: invariant.TwoVotes, Node: voter.node, Term: voter.term, Others: []uint64{first, candidate}})
	}
}

// grant notes that a vote reached a candidate.
func (c *cluster) grant(candidate ballot, voter uint64) {
	if !slices.Contains(c.granted[candidate], voter) {
		c.granted[candidate] = append(c.granted[candidate], voter)
	}
}

// lead notes that a node leads in a term.
func (w *Watcher) lead(c *cluster, leader ballot) {
	if leader == c.leading || c.leaders[leader] {
		return
	}
	c.leaders[leader] = true
	if l := c.logs[leader.node]; l != nil {
		l.leadership.begin(leader.term)
	}
	if leader.term > c.leading.term {
		c.leading = leader
	}
	end, known := c.candidacies[leader]
	if !known {
		return
	}
	w.found.Leaders++
	w.complete(c, leader, c.newest)
	voted := func(node uint64) bool { return node == leader.node || slices.Contains(c.granted[leader], node) }
	if by := c.goneBy(end.index); !majority(by, voted) {
		w.breach(c, invariant.Breach{Kind: invariant.MinorityLeader, Node: leader.node, Term: leader.term,
			Others: append([]uint64{leader.node}, c.granted[leader]...), Voters: by[len(by)-1].voters()})
	}
}

// complete checks that a leader has an entry that was committed in an earlier term.
func (w *Watcher) complete(c *cluster, leader ballot, committed claim) {
	end := c.candidacies[leader]
	if committed.by.term < leader.term && end.before(committed.position) {
		w.breach(c, invariant.Breach{Kind: invariant.IncompleteLeader, Node: leader.node, Term: leader.term,
			Index: committed.index, EntryTerm: committed.term, Others: []uint64{committed.by.node}, LastIndex: end.index, LastTerm: end.term})
	}
}

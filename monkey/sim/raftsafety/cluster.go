// SPDX-License-Identifier: Apache-2.0

package raftsafety

import (
	pb "github.com/lni/dragonboat/v3/raftpb"
)

// cluster is what is known of one.
type cluster struct {
	id    uint64 // as it is called in what is found
	about About

	votes       map[ballot]uint64   // who got the vote
	granted     map[ballot][]uint64 // whose votes reached a candidate
	candidacies map[ballot]position // the end of the candidate's log
	leaders     map[ballot]bool
	leading     ballot // in the newest term

	// committed has the term of each committed entry, by its index; 0: not known.
	committed []uint32
	newest    claim // of the newest committed entry
	// proven is the index up to which a majority was seen to have saved all, and
	// provenTerm the newest term of an entry there.
	proven, provenTerm uint64
	memberships        []*membership // by committed changes, oldest first
	// unsure says that a change may be missing there: a log proved it that begins
	// behind it.
	unsure bool

	logs    map[uint64]*log // of its nodes
	entries map[position]entry
	// answers are the newest ones that reached a leader, by whose they are; told is up
	// to which index a node was told that its log is committed, and the newest term in
	// which a leader told it anything.
	answers map[pair]answer
	told    map[uint64]position
	// carried has in which term entries that are not saved yet were sent to a node, the
	// newest one.
	carried map[delivery]uint32
	// shown is up to which index the leader of the newest term has shown a node its log.
	shown map[uint64]position

	reads   map[pb.SystemCtx]*read
	asked   []pb.SystemCtx // the keys of reads, oldest first
	evicted bool           // a read was forgotten
}

func newCluster(id uint64, about About) *cluster {
	return &cluster{
		id: id, about: about,
		votes: map[ballot]uint64{}, granted: map[ballot][]uint64{}, candidacies: map[ballot]position{}, leaders: map[ballot]bool{},
		logs: map[uint64]*log{}, entries: map[position]entry{}, answers: map[pair]answer{}, told: map[uint64]position{}, carried: map[delivery]uint32{}, shown: map[uint64]position{},
		reads: map[pb.SystemCtx]*read{},
	}
}

// ballot is a node in a term.
type ballot struct{ node, term uint64 }

// position is an entry of a log. One that is greater in this order is newer.
type position struct{ term, index uint64 }

func (p position) before(o position) bool {
	return p.term < o.term || p.term == o.term && p.index < o.index
}

// claim is the word of a node, in a term, that an entry is committed.
type claim struct {
	position
	by ballot
}

// SPDX-License-Identifier: Apache-2.0

package db

import (
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/drumbeat-raft/drumbeat/drummer/db/ordmap"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// Index has the Location of every cluster of a state ready, and is read without a lock.
// It follows the states that it is asked about: an answer is made again when its
// cluster has changed, or how one of its hosts is. It costs about as much memory as the
// clusters, from the first question on. An Index is safe for concurrent use.
type Index struct {
	ttl uint64
	at  atomic.Pointer[indexed] // nil before the first question

	mu sync.Mutex // held while the index is brought to another state
}

// NewIndex returns an index for which hosts are dead after ttl ticks without a word.
func NewIndex(ttl uint64) *Index { return &Index{ttl: ttl} }

// indexed is what an index has of one state. A later one may use the same table.
type indexed struct {
	state *State
	hosts map[string]hostView // those not gone, by NodeHost ID
	timed bool                // how some host is depends on the tick
	table *table
}

// hostView is all that a Location says of a host.
type hostView struct {
	address, api string
	up           bool
}

// Locate returns where a cluster is, in the state or, while somebody else brings the
// index there, in one that was asked about before; nil: nobody has heard of it. The
// answer is shared, and must not be changed.
func (x *Index) Locate(state *State, clusterID uint64) *pb.ClusterLocation {
	at := x.at.Load()
	if at == nil || at.state != state {
		at = x.follow(state)
	}
	if a := at.table.get(clusterID); a != nil && a.known {
		return &a.location
	}
	return nil
}

// follow brings the index to a state.
func (x *Index) follow(state *State) *indexed {
	if at := x.at.Load(); at == nil {
		x.mu.Lock()
	} else if !x.mu.TryLock() {
		return at
	}
	defer x.mu.Unlock()
	old := x.at.Load()
	if old != nil && old.state == state {
		return old
	}
	at := &indexed{state: state}
	if old == nil {
		at.view(x.ttl)
		at.table = newTable(state.Clusters.Len())
		for c := range state.Clusters.Values() {
			at.table.put(x.answer(state, c))
		}
	} else {
		at.table = old.table
		x.update(old, at)
	}
	x.at.Store(at)
	return at
}

// update makes the answers again that are others than before. A cluster does not
// change with its hosts: when one of them does, all clusters are looked through.
func (x *Index) update(before, at *indexed) {
	for id := range ordmap.Changed(before.state.Clusters, at.state.Clusters) {
		x.refresh(at, id)
	}
	at.hosts, at.timed = before.hosts, before.timed
	if before.state.Hosts.Same(at.state.Hosts) && !at.timed {
		return
	}
	at.view(x.ttl)
	var changed []string
	for id, view := range at.hosts {
		if before.hosts[id] != view {
			changed = append(changed, id)
		}
	}
	for id := range before.hosts {
		if _, there := at.hosts[id]; !there {
			changed = append(changed, id)
		}
	}
	if len(changed) == 0 {
		return
	}
	for id, c := range at.state.Clusters.All() {
		if slices.ContainsFunc(c.Nodes, func(n Node) bool { return slices.Contains(changed, n.HostID) }) {
			x.refresh(at, id)
		}
	}
}

// view looks at the hosts.
func (at *indexed) view(ttl uint64) {
	at.hosts, at.timed = make(map[string]hostView, at.state.Hosts.Len()), false
	for id, h := range at.state.Hosts.All() {
		if !h.Gone {
			at.hosts[id] = hostView{h.Address(), h.Info.GetApiAddress(), at.state.HostState(h, ttl) == pb.NodeHostState_UP}
			at.timed = at.timed || h.Silent
		}
	}
}

// refresh makes one answer again.
func (x *Index) refresh(at *indexed, id uint64) {
	if at.table.full() {
		at.table = at.table.grown()
	}
	if c := at.state.Clusters.At(id); c != nil {
		at.table.put(x.answer(at.state, c))
	} else {
		at.table.put(&answer{location: pb.ClusterLocation{ClusterId: id}})
	}
}

// answer is one location, in one piece of memory for as many members as are usual.
type answer struct {
	location pb.ClusterLocation
	known    bool // otherwise there is no such cluster any more
	members  [3]pb.MemberLocation
}

func (x *Index) answer(state *State, c *Cluster) *answer {
	a := &answer{known: true}
	room := a.members[:]
	if n := len(c.members()); n > len(room) {
		room = make([]pb.MemberLocation, n)
	} else {
		room = room[:n]
	}
	state.locate(&a.location, room, c, x.ttl, state.Hosts.At)
	return a
}

// table finds answers by ClusterID: a hash table with open addressing. One writer may
// put answers in while anybody reads; none is taken out.
type table struct {
	slots []atomic.Pointer[answer] // a power of two, half of them empty
	used  int
}

func newTable(answers int) *table {
	const smallest = 64
	return &table{slots: make([]atomic.Pointer[answer], max(smallest, 1<<bits.Len(uint(2*answers))))}
}

// slot is where the search for an answer begins.
func (t *table) slot(clusterID uint64) int {
	const golden = 0x9e3779b97f4a7c15 // 2^64 divided by the golden ratio
	return int(clusterID * golden >> (64 - bits.TrailingZeros(uint(len(t.slots)))))
}

func (t *table) get(clusterID uint64) *answer {
	for i := t.slot(clusterID); ; i = (i + 1) & (len(t.slots) - 1) {
		if a := t.slots[i].Load(); a == nil || a.location.ClusterId == clusterID {
			return a
		}
	}
}

// put takes an answer in, perhaps in the place of an earlier one.
func (t *table) put(a *answer) {
	i := t.slot(a.location.ClusterId)
	for old := t.slots[i].Load(); old != nil && old.location.ClusterId != a.location.ClusterId; old = t.slots[i].Load() {
		i = (i + 1) & (len(t.slots) - 1)
	}
	if t.slots[i].Load() == nil {
		t.used++
	}
	t.slots[i].Store(a)
}

func (t *table) full() bool { return 2*t.used >= len(t.slots) }

// grown is a table with the same answers and room for as many more, without those of
// clusters that are there no more.
func (t *table) grown() *table {
	larger := newTable(2 * t.used)
	for i := range t.slots {
		if a := t.slots[i].Load(); a != nil && a.known {
			larger.put(a)
		}
	}
	return larger
}

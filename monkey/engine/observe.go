// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/invariant"
	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// pollEvery is how often the observer looks at the truth: the resolution of
// repair times.
const pollEvery = time.Second

// observer watches the truth of a world while it runs: which Raft clusters
// have their full number of running members, since when others do not, and
// who leads. It logs what changes.
type observer struct {
	w      world.World
	events *timeline.Log
	want   func(cluster uint64) members // now; no voters: no such cluster
	start  time.Time
	// operated says that running members may be wanted gone: an operator acts in this
	// run, or members are to live in certain places.
	operated bool

	mu       sync.Mutex
	clusters map[uint64]*watched
	repairs  []invariant.Repair
	up       map[string]bool // the NodeHosts that ran when it last looked
	away     map[string]int  // how often each of them was gone
}

// watched is what the observer remembers of a cluster.
type watched struct {
	voters   map[uint64]string    // of the last time it was full
	seen     map[uint64]time.Time // when each of them was last seen running
	hosts    map[uint64]string    // and on which host
	weak     time.Time            // since when it is not full; zero: it is
	noQuorum bool                 // no majority runs
}

func newObserver(w world.World, events *timeline.Log, want func(uint64) members, start time.Time, operated bool) *observer {
	return &observer{w: w, events: events, want: want, start: start, operated: operated, clusters: map[uint64]*watched{}, up: map[string]bool{}, away: map[string]int{}}
}

// watch polls until ctx ends.
func (o *observer) watch(ctx context.Context) {
	for {
		o.poll(ctx)
		if !sleep(ctx, pollEvery) {
			return
		}
	}
}

// poll looks once, and logs clusters that became whole again and new leaders.
func (o *observer) poll(ctx context.Context) truth {
	tr := look(ctx, o.w)
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, h := range o.w.Hosts() {
		_, up := tr.hosts[h.Name]
		if o.up[h.Name] && !up {
			o.away[h.Name]++
		}
		o.up[h.Name] = up
	}
	for _, id := range slices.Sorted(maps.Keys(tr.clusters)) {
		o.compare(id, tr.clusters[id])
	}
	for _, id := range slices.Sorted(maps.Keys(o.clusters)) {
		c := o.clusters[id]
		if o.want(id).voters == 0 { // it was deleted
			o.quorumRegained(id, c)
			delete(o.clusters, id)
		} else if tr.clusters[id] == nil { // nobody at all runs a node of it
			c.weaken()
			o.quorumLost(id, c)
		}
	}
	for _, l := range o.w.LeaderChanges() {
		o.events.AddAt(l.At, timeline.LeaderAnnounced{Host: l.Host, Cluster: l.ClusterID, Node: l.NodeID, Leader: l.LeaderID, Term: l.Term})
	}
	return tr
}

// absences counts how often each NodeHost's process was gone for a look.
func (o *observer) absences() map[string]int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return maps.Clone(o.away)
}

// compare notes whether a cluster is full and has a majority, and for how long
// it was or had not.
func (o *observer) compare(id uint64, c *clusterTruth) {
	was := o.clusters[id]
	full := o.want(id).voters > 0 && c.full(o.want(id))
	if was == nil {
		if full {
			o.clusters[id] = newWatched(c)
		}
		return
	}
	if c.majority(o.want(id).witnesses) {
		o.quorumRegained(id, was)
	} else {
		o.quorumLost(id, was)
	}
	if full {
		if !was.weak.IsZero() {
			o.repaired(id, was, c)
		}
		o.clusters[id] = newWatched(c)
		return
	}
	was.weaken()
	for node, host := range c.running {
		if _, member := was.voters[node]; member {
			was.seen[node], was.hosts[node] = time.Now(), host
		}
	}
}

func newWatched(c *clusterTruth) *watched {
	w := &watched{voters: c.voters, seen: map[uint64]time.Time{}, hosts: map[uint64]string{}}
	for node := range c.voters {
		w.seen[node], w.hosts[node] = time.Now(), c.running[node]
	}
	return w
}

func (w *watched) weaken() {
	if w.weak.IsZero() {
		w.weak = time.Now()
	}
}

func (o *observer) quorumLost(id uint64, w *watched) {
	if !w.noQuorum {
		w.noQuorum = true
		o.events.Add(timeline.QuorumLost{Cluster: id})
	}
}

func (o *observer) quorumRegained(id uint64, w *watched) {
	if w.noQuorum {
		w.noQuorum = false
		o.events.Add(timeline.QuorumRegained{Cluster: id})
	}
}

// repaired notes that a cluster is whole again, and by whom.
func (o *observer) repaired(id uint64, was *watched, c *clusterTruth) {
	repair := timeline.ClusterRepaired{Cluster: id, Took: time.Since(was.weak), How: timeline.Restored}
	fresh := missing(c.voters, was.voters)
	for i, node := range missing(was.voters, c.voters) {
		lost := was.seen[node]
		if !lost.Before(was.weak) {
			// It ran all the time: it was cut off, or an operator wanted it gone.
			if o.operated {
				if repair.How != timeline.Replaced {
					repair.How = timeline.Moved
				}
				continue
			}
			lost = was.weak
		}
		repair.How = timeline.Replaced
		r := invariant.Repair{Cluster: id, Node: node, Host: was.hosts[node],
			LostAt: int64(lost.Sub(o.start)), RepairedAt: int64(time.Since(o.start))}
		if i < len(fresh) {
			r.By = fresh[i]
		}
		o.repairs = append(o.repairs, r)
	}
	o.events.Add(repair)
}

// missing lists, in order, the nodes of a that are not in b.
func missing(a, b map[uint64]string) []uint64 {
	var ids []uint64
	for node := range a {
		if _, ok := b[node]; !ok {
			ids = append(ids, node)
		}
	}
	slices.Sort(ids)
	return ids
}

// losses returns the repairs so far, and members that run no more and were not
// replaced.
func (o *observer) losses() []invariant.Repair {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := append([]invariant.Repair{}, o.repairs...)
	for _, id := range slices.Sorted(maps.Keys(o.clusters)) {
		c := o.clusters[id]
		if c.weak.IsZero() {
			continue
		}
		for _, node := range slices.Sorted(maps.Keys(c.voters)) {
			if !c.seen[node].Before(c.weak) { // it runs; another one is missing
				continue
			}
			all = append(all, invariant.Repair{Cluster: id, Node: node, Host: c.hosts[node], LostAt: int64(c.seen[node].Sub(o.start))})
		}
	}
	return all
}

// whole counts the clusters that are full now.
func (o *observer) whole(ctx context.Context) int {
	n := 0
	for id, c := range o.poll(ctx).clusters {
		if want := o.want(id); want.voters > 0 && c.full(want) {
			n++
		}
	}
	return n
}

// safe implements fault.Safe for all clusters, and for DrummerDB.
func (o *observer) safe(hosts, lost []string, forever bool) bool {
	gone := slices.Concat(lost, hosts)
	for id, c := range look(context.Background(), o.w).clusters {
		witnesses := o.want(id).witnesses
		if !c.elects(witnesses, gone...) && (forever || c.elects(witnesses, lost...)) {
			return false
		}
	}
	return o.drummersLeft(gone) || !forever && !o.drummersLeft(lost)
}

// drummersLeft reports whether most Drummer servers run on hosts other than those.
func (o *observer) drummersLeft(gone []string) bool {
	all, left := 0, 0
	for _, h := range o.w.Hosts() {
		if h.Role != world.Drummer {
			continue
		}
		all++
		if o.w.Running(h.Name) && !slices.Contains(gone, h.Name) {
			left++
		}
	}
	return all == 0 || left >= all/2+1
}

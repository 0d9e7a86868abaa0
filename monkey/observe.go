// SPDX-License-Identifier: Apache-2.0

package monkey

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/invariant"
	"github.com/drumbeat-raft/drumbeat/monkey/rundir"
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
	events *rundir.Events
	size   func(cluster uint64) int // wanted voters now; 0: no such cluster
	start  time.Time
	// operated says that an operator acts in this run, who may want running
	// members gone.
	operated bool

	mu       sync.Mutex
	clusters map[uint64]*watched
	repairs  []invariant.Repair
	outages  []rundir.Outage
}

// watched is what the observer remembers of a cluster.
type watched struct {
	voters  map[uint64]string    // of the last time it was full
	seen    map[uint64]time.Time // when each of them was last seen running
	hosts   map[uint64]string    // and on which host
	weak    time.Time            // since when it is not full; zero: it is
	noneFor time.Time            // since when no majority runs; zero: one does
}

func newObserver(w world.World, events *rundir.Events, size func(uint64) int, start time.Time, operated bool) *observer {
	return &observer{w: w, events: events, size: size, start: start, operated: operated, clusters: map[uint64]*watched{}}
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
	for _, id := range slices.Sorted(maps.Keys(tr.clusters)) {
		o.compare(id, tr.clusters[id])
	}
	for id, c := range o.clusters {
		if o.size(id) == 0 { // it was deleted
			delete(o.clusters, id)
		} else if tr.clusters[id] == nil { // nobody at all runs a node of it
			c.weaken()
			c.lose()
		}
	}
	for _, l := range o.w.LeaderChanges() {
		o.events.AddAt(l.At, rundir.Event{Kind: rundir.Leader, Hosts: []string{l.Host},
			Cluster: l.ClusterID, Node: l.NodeID, LeaderID: l.LeaderID, Term: l.Term})
	}
	return tr
}

// compare notes whether a cluster is full and has a majority, and for how long
// it was or had not.
func (o *observer) compare(id uint64, c *clusterTruth) {
	was := o.clusters[id]
	full := o.size(id) > 0 && c.full(o.size(id))
	if was == nil {
		if full {
			o.clusters[id] = newWatched(c)
		}
		return
	}
	if c.majority() {
		o.regained(id, was)
	} else {
		was.lose()
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

func (w *watched) lose() {
	if w.noneFor.IsZero() {
		w.noneFor = time.Now()
	}
}

func (o *observer) regained(id uint64, was *watched) {
	if was.noneFor.IsZero() {
		return
	}
	o.outages = append(o.outages, rundir.Outage{Cluster: id, From: was.noneFor.Sub(o.start), To: time.Since(o.start)})
	was.noneFor = time.Time{}
}

// repaired notes that a cluster is whole again, and by whom.
func (o *observer) repaired(id uint64, was *watched, c *clusterTruth) {
	ev := rundir.Event{Kind: rundir.Repaired, Cluster: id, Took: time.Since(was.weak), Op: rundir.Restored}
	fresh := missing(c.voters, was.voters)
	for i, node := range missing(was.voters, c.voters) {
		lost := was.seen[node]
		if lost.After(was.weak) {
			// It ran all the time: it was cut off, or an operator wanted it gone.
			if o.operated {
				ev.Op = moved(ev.Op)
				continue
			}
			lost = was.weak
		}
		ev.Op = rundir.Replaced
		r := invariant.Repair{Cluster: id, Node: node, Host: was.hosts[node],
			LostAt: int64(lost.Sub(o.start)), RepairedAt: int64(time.Since(o.start))}
		if i < len(fresh) {
			r.By = fresh[i]
		}
		o.repairs = append(o.repairs, r)
	}
	o.events.Add(ev)
}

// moved is how a cluster was repaired once one of its members was moved, too.
func moved(how string) string {
	if how == rundir.Replaced {
		return how
	}
	return rundir.Moved
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

// noMajority lists the outages so far, with those that go on.
func (o *observer) noMajority() []rundir.Outage {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := slices.Clone(o.outages)
	for _, id := range slices.Sorted(maps.Keys(o.clusters)) {
		if c := o.clusters[id]; !c.noneFor.IsZero() {
			all = append(all, rundir.Outage{Cluster: id, From: c.noneFor.Sub(o.start), To: time.Since(o.start)})
		}
	}
	return all
}

// whole counts the clusters that are full now.
func (o *observer) whole(ctx context.Context) int {
	n := 0
	for id, c := range o.poll(ctx).clusters {
		if size := o.size(id); size > 0 && c.full(size) {
			n++
		}
	}
	return n
}

// safe tells whether losing hosts now leaves every cluster, and DrummerDB, a
// majority of running voters.
func (o *observer) safe(hosts []string) bool {
	for _, c := range look(context.Background(), o.w).clusters {
		if !c.majority(hosts...) {
			return false
		}
	}
	all, left := 0, 0
	for _, h := range o.w.Hosts() {
		if h.Role != world.Drummer {
			continue
		}
		all++
		if o.w.Running(h.Name) && !slices.Contains(hosts, h.Name) {
			left++
		}
	}
	return left >= all/2+1
}

// truth is one look at all running hosts.
type truth struct {
	clusters map[uint64]*clusterTruth
	hosts    map[string]world.Inspection
}

// clusterTruth joins what the running nodes of a cluster say.
type clusterTruth struct {
	ccid      uint64
	voters    map[uint64]string // NodeID → RaftAddress, newest membership seen
	running   map[uint64]string // NodeID → host, members and others
	observers map[uint64]string // those of running that are observers
}

// look inspects every running host. A host that dies meanwhile is left out.
func look(ctx context.Context, w world.World) truth {
	tr := truth{clusters: map[uint64]*clusterTruth{}, hosts: map[string]world.Inspection{}}
	for _, h := range w.Hosts() {
		if h.Role != world.NodeHost || !w.Running(h.Name) {
			continue
		}
		in, err := w.Inspect(ctx, h.Name)
		if err != nil {
			continue
		}
		tr.hosts[h.Name] = in
		for _, n := range in.Nodes {
			tr.add(h.Name, n)
		}
	}
	return tr
}

func (tr *truth) add(host string, n world.Node) {
	c := tr.clusters[n.ClusterID]
	if c == nil {
		c = &clusterTruth{running: map[uint64]string{}, observers: map[uint64]string{}}
		tr.clusters[n.ClusterID] = c
	}
	if n.Ready && n.ConfigID >= c.ccid {
		c.ccid, c.voters = n.ConfigID, n.Voters
	}
	c.running[n.NodeID] = host
	if n.IsObserver {
		c.observers[n.NodeID] = host
	}
}

// full tells whether a cluster has exactly its wanted voters, all running, and
// nobody else.
func (c *clusterTruth) full(size int) bool {
	if len(c.voters) != size || len(c.running) != size {
		return false
	}
	for node := range c.voters {
		if _, ok := c.running[node]; !ok || c.observers[node] != "" {
			return false
		}
	}
	return true
}

// majority tells whether most voters run on hosts other than those.
func (c *clusterTruth) majority(without ...string) bool {
	left := 0
	for node := range c.voters {
		if h, ok := c.running[node]; ok && !slices.Contains(without, h) {
			left++
		}
	}
	return left >= len(c.voters)/2+1
}

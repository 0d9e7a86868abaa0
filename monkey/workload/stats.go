// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// Counts counts operations by outcome.
type Counts struct {
	OK      int `json:"ok"`
	Fail    int `json:"fail"`
	Unknown int `json:"unknown"`
}

// Total is the number of operations.
func (c Counts) Total() int { return c.OK + c.Fail + c.Unknown }

func (c *Counts) add(outcome history.Outcome) {
	switch outcome {
	case history.OK:
		c.OK++
	case history.Fail:
		c.Fail++
	default:
		c.Unknown++
	}
}

// ClusterStats is what happened to one cluster.
type ClusterStats struct {
	Cluster uint64 `json:"cluster"`
	Counts
	// Missed counts operations that were not begun, because all clients were
	// waiting.
	Missed int `json:"missed"`
	// Stall is the longest time for which somebody wanted to write and no
	// write succeeded, and StallEnd its end since the start of the run.
	Stall    time.Duration `json:"stall_ns"`
	StallEnd time.Duration `json:"stall_end_ns"`
}

// Stats is what the clients saw.
type Stats struct {
	Counts
	Missed int `json:"missed"`
	// PerSecond counts the operations that ended in each second since the
	// start of the run.
	PerSecond []Counts       `json:"per_second"`
	Clusters  []ClusterStats `json:"clusters"` // by ClusterID; those that were asked
}

// LongestStall returns the longest write stall of all clusters, and where.
func (s *Stats) LongestStall() (stall time.Duration, cluster uint64) {
	for _, c := range s.Clusters {
		if c.Stall > stall {
			stall, cluster = c.Stall, c.Cluster
		}
	}
	return stall, cluster
}

// stats counts while the clients work.
type stats struct {
	mu        sync.Mutex
	perSecond []Counts
	clusters  map[uint64]*clusterStats
}

type clusterStats struct {
	ClusterStats
	writes  int           // open
	lastOK  time.Duration // when a write last succeeded
	waiting bool          // somebody wants to write since
	since   time.Duration
}

// Stats returns what happened so far.
func (w *Workload) Stats() *Stats {
	w.stats.mu.Lock()
	defer w.stats.mu.Unlock()
	now := w.since()
	out := &Stats{PerSecond: slices.Clone(w.stats.perSecond)}
	for _, id := range slices.Sorted(maps.Keys(w.stats.clusters)) {
		cluster := *w.stats.clusters[id]
		if cluster.waiting {
			cluster.stalled(now)
		}
		out.Clusters = append(out.Clusters, cluster.ClusterStats)
		out.OK += cluster.OK
		out.Fail += cluster.Fail
		out.Unknown += cluster.Unknown
		out.Missed += cluster.Missed
	}
	return out
}

func (s *stats) cluster(id uint64) *clusterStats {
	c := s.clusters[id]
	if c == nil {
		c = &clusterStats{ClusterStats: ClusterStats{Cluster: id}}
		s.clusters[id] = c
	}
	return c
}

func (s *stats) miss(cluster uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cluster(cluster).Missed++
}

func (s *stats) begin(o *openOp) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.cluster(o.cluster)
	if o.write {
		c.writes++
		c.want(o.wanted)
	}
}

func (s *stats) end(o *openOp, a history.Answer, now time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	second := int(now / time.Second)
	for len(s.perSecond) <= second {
		s.perSecond = append(s.perSecond, Counts{})
	}
	s.perSecond[second].add(a.Outcome)
	c := s.cluster(o.cluster)
	c.add(a.Outcome)
	if !o.write {
		return
	}
	c.writes--
	// A cas that did not match was applied, too.
	if a.Outcome == history.OK || a.Observed.Stated() {
		c.succeeded(now)
		return
	}
	c.want(o.wanted)
}

// want notes that somebody wants to write since then.
func (c *clusterStats) want(since time.Duration) {
	since = max(since, c.lastOK)
	if !c.waiting || since < c.since {
		c.waiting, c.since = true, since
	}
}

// succeeded notes a write that was applied; others may still be open.
func (c *clusterStats) succeeded(now time.Duration) {
	c.stalled(now)
	c.lastOK = now
	c.waiting, c.since = c.writes > 0, now
}

func (c *clusterStats) stalled(now time.Duration) {
	if stall := now - c.since; c.waiting && stall > c.Stall {
		c.Stall, c.StallEnd = stall, now
	}
}

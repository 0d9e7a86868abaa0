// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// intent is what some client is to do at some time.
type intent struct {
	at      time.Duration // since the start of the workload
	cluster uint64
	key     string
	kind    history.Kind
	random  uint64 // its lower half picks the member, its upper one what a cas expects
	host    string // asked first, if a member runs there; empty: random picks
	burst   uint64 // the same for all operations of a burst
}

// member picks the member that is asked, modulo their number.
func (in intent) member() uint64 { return uint64(uint32(in.random)) }

// schedule has the intents in the order of their times. It depends on the seed
// and the scenario only.
type schedule struct {
	rand     *rand.Rand
	seed     uint64
	given    []scenarios.Operation // that are left; drawn is false only with them
	drawn    bool
	first    uint64 // ClusterID
	clusters int
	popular  *zipf // draws clusters; nil: all are alike
	keys     *zipf
	load            // now
	later    []load // in order of their begins
	now      time.Duration
	last     intent // drawn
	rest     int    // of its burst
}

// load is what clients do from a time on.
type load struct {
	from   time.Duration
	bursts bursts
	gap    time.Duration // mean, from one single operation or burst to the next
	kinds  []weighed
	total  int
}

func newLoad(from time.Duration, w scenarios.Workload) load {
	l := load{from: from, bursts: newBursts(w.Burst), kinds: []weighed{
		{history.Get, w.Mix.Get}, {history.Put, w.Mix.Put}, {history.Cas, w.Mix.CAS},
		{history.Append, w.Mix.Append}, {history.Delete, w.Mix.Delete}, {history.Stale, w.Mix.Stale},
	}}
	l.gap = time.Duration(l.bursts.mean() / w.Rate * float64(time.Second))
	for _, kind := range l.kinds {
		l.total += kind.weight
	}
	return l
}

// loads are those of a scenario's phases, which begin after the warm-up. After the
// last one the load is as before the first.
func loads(s *scenarios.Scenario) []load {
	var all []load
	from := s.Warmup.D()
	for _, phase := range s.Phases {
		all = append(all, newLoad(from, phase.Workload.In(s.Workload)))
		from += phase.Duration.D()
	}
	if len(all) > 0 {
		all = append(all, newLoad(from, s.Workload))
	}
	return all
}

type weighed struct {
	kind   history.Kind
	weight int
}

func newSchedule(s *scenarios.Scenario, seed uint64) *schedule {
	drawn := &schedule{
		rand:     rand.New(rand.NewPCG(seed, 0x776f726b6c6f6164)), // 'workload', so that nothing else draws the same
		seed:     seed,
		given:    s.Workload.Operations,
		drawn:    len(s.Workload.Operations) == 0,
		first:    uint64(s.Clusters.First),
		clusters: s.Clusters.Count,
		keys:     newZipf(s.Workload.Keys, s.Workload.Zipf),
		load:     newLoad(0, s.Workload),
		later:    loads(s),
	}
	if s.Workload.ClusterZipf > 0 {
		drawn.popular = newZipf(s.Clusters.Count, s.Workload.ClusterZipf)
	}
	return drawn
}

// next returns the next intent; false: there is none.
func (s *schedule) next() (intent, bool) {
	switch {
	case s.drawn:
		return s.draw(), true
	case len(s.given) == 0:
		return intent{}, false
	}
	o := s.given[0]
	s.given = s.given[1:]
	in := intent{at: o.At.D(), cluster: o.Key.Cluster, key: o.Key.String(), kind: history.Kind(o.Op), random: s.randomOf(o)}
	if !o.Host.IsZero() {
		in.host = o.Host.String()
	}
	return in, true
}

// randomOf is a given operation's random number. It does not depend on the other
// operations, so that it stays the same without them.
func (s *schedule) randomOf(o scenarios.Operation) uint64 {
	h := fnv.New64a()
	fmt.Fprintln(h, s.seed, int64(o.At), o.Op, o.Key)
	return rand.NewPCG(h.Sum64(), 0).Uint64()
}

// draw draws the next intent. Gaps are exponential, so arrivals are those of
// many independent users. The intents of a burst have the same time and key, and
// go to the members of the cluster in turn.
func (s *schedule) draw() intent {
	if s.rest > 0 {
		s.rest--
	} else {
		s.pass()
		cluster := s.first + s.cluster()
		s.last = intent{at: s.now, cluster: cluster, key: keyName(cluster, s.keys.draw(s.rand))}
		s.rest = s.bursts.draw(s.rand) - 1
		s.last.random = s.rand.Uint64()
		s.last.burst = s.last.random
	}
	s.last.kind, s.last.random = s.kind(), s.rand.Uint64()&^math.MaxUint32|uint64(uint32(s.last.random)+1)
	return s.last
}

// cluster draws the number of a cluster, from 0.
func (s *schedule) cluster() uint64 {
	if s.popular != nil {
		return uint64(s.popular.draw(s.rand))
	}
	return s.rand.Uint64N(uint64(s.clusters))
}

// pass lets time pass to the next single operation or burst. Gaps have no memory, so
// that one is drawn anew where another load begins before its end.
func (s *schedule) pass() {
	for {
		next := s.now + time.Duration(s.rand.ExpFloat64()*float64(s.gap))
		if len(s.later) == 0 || next < s.later[0].from {
			s.now = next
			return
		}
		s.load, s.later = s.later[0], s.later[1:]
		s.now = s.load.from
	}
}

func (s *schedule) kind() history.Kind {
	ticket := s.rand.IntN(s.total)
	for _, kind := range s.kinds {
		if ticket -= kind.weight; ticket < 0 {
			return kind.kind
		}
	}
	return history.Get
}

// keyName names a key so that no two clusters have the same.
func keyName(cluster uint64, key int) string { return fmt.Sprintf("%d/k%d", cluster, key) }

// ApplicationOf names the bundled application that a cluster of the scenario
// runs.
func ApplicationOf(s *scenarios.Scenario, cluster uint64) string {
	switch s.Clusters.Kind(cluster) {
	case "concurrent":
		return statemachine.ConcurrentName
	case "ondisk":
		return statemachine.OnDiskName
	}
	return statemachine.RegularName
}

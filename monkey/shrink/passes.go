// SPDX-License-Identifier: Apache-2.0

package shrink

import (
	"slices"
	"strings"
	"time"

	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// pass is a way in which a scenario gets smaller. It starts from the best
// candidate.
type pass struct {
	name   string
	reduce func(*search)
	// lucky says that what the seed decided is decided anew: nodes come to run on
	// other hosts, other nodes lead. More seeds are tried then.
	lucky bool
}

// passes are all of them, those first after which runs take less time.
var passes = []pass{
	{"going on at the violation", (*search).stopAtOnce, false},
	{"what comes after the violation", (*search).cutEnd, false},
	{"other clusters and keys", (*search).narrow, true},
	{"faults", (*search).faults, true},
	{"actions", (*search).actions, true},
	{"waiting", (*search).waiting, false},
	{"Drummer servers", (*search).drummers, true},
	{"settings", (*search).settings, true},
	{"hosts", (*search).hosts, true},
	{"phases", (*search).phases, false},
	{"drawn operations", (*search).drawn, false},
	{"operations", (*search).operations, false},
	{"clients", (*search).clients, false},
	{"fractions of seconds", (*search).round, false},
	{"hosts of operations", (*search).operationHosts, false},
}

// edit returns a copy of the best scenario with a change; nil if that is no valid
// scenario.
func (s *search) edit(change func(*scenarios.Scenario)) *scenarios.Scenario {
	c := clone(s.best.Scenario)
	change(c)
	c, err := check(c)
	if err != nil {
		return nil
	}
	return c
}

// tryEach takes the first of some changes that keeps the violation.
func (s *search) tryEach(changes ...func(*scenarios.Scenario)) {
	var all []*scenarios.Scenario
	for _, change := range changes {
		all = append(all, s.edit(change))
	}
	s.accept(all)
}

// stopAtOnce has runs stop at a violation that are told to go on: they take less
// time, and say when it showed.
func (s *search) stopAtOnce() {
	base := s.best.Scenario
	stops := slices.DeleteFunc(removable(base), func(path string) bool { return !strings.HasSuffix(path, ".stop") })
	if len(stops) == 0 {
		return
	}
	if c, err := base.Without(stops...); err == nil {
		s.accept([]*scenarios.Scenario{c})
	}
}

// cutEnd removes what would have begun after the run stopped at the violation, and
// has a run that shows none by then settle no longer than it must.
func (s *search) cutEnd() {
	end := scenarios.Duration(s.last.Stopped)
	b := s.best.Scenario
	if end == 0 || end >= b.Warmup+b.Duration {
		return
	}
	s.tryEach(func(c *scenarios.Scenario) {
		c.Workload.Operations = slices.DeleteFunc(c.Workload.Operations, func(o scenarios.Operation) bool { return o.At > end })
		c.Warmup = min(c.Warmup, end)
		c.Duration = max(end-c.Warmup, scenarios.Duration(time.Second))
		c.Settle = min(c.Settle, scenarios.Duration(time.Second))
		c.Faults = slices.DeleteFunc(c.Faults, func(f scenarios.Fault) bool { return len(f.At) == 1 && f.At[0] > c.Duration })
		c.Actions = slices.DeleteFunc(c.Actions, func(a scenarios.Action) bool { return a.At > c.Duration })
	})
}

// narrow leaves the violation's cluster and key, or else halves the clusters.
func (s *search) narrow() {
	id := int(s.Target.cluster())
	if id != 0 {
		of := func(o scenarios.Operation) bool { return o.Key.Cluster == uint64(id) }
		key := func(o scenarios.Operation) bool { return o.Key.String() == s.Target.Key }
		s.tryEach(
			func(c *scenarios.Scenario) { keepClusters(c, id, 1); keepOperations(c, key) },
			func(c *scenarios.Scenario) { keepClusters(c, id, 1); keepOperations(c, of) },
			func(c *scenarios.Scenario) { keepClusters(c, id, 1) },
			func(c *scenarios.Scenario) { keepOperations(c, key) },
			func(c *scenarios.Scenario) { keepOperations(c, of) },
		)
	}
	for left := 0; left != s.best.Scenario.Clusters.Count && !s.over(); {
		first, count := s.best.Scenario.Clusters.First, s.best.Scenario.Clusters.Count
		left = count
		half := count / 2
		var changes []func(*scenarios.Scenario)
		for _, from := range []int{first, first + count - half} {
			if half > 0 && (id == 0 || from <= id && id < from+half) {
				changes = append(changes, func(c *scenarios.Scenario) { keepClusters(c, from, half) })
			}
		}
		s.tryEach(changes...)
	}
}

// keepClusters leaves clusters, and their operations.
func keepClusters(c *scenarios.Scenario, first, count int) {
	c.Clusters.First, c.Clusters.Count = first, count
	keepOperations(c, func(o scenarios.Operation) bool {
		return o.Key.Cluster >= uint64(first) && o.Key.Cluster < uint64(first+count)
	})
	for i := range c.Actions {
		if c.Actions[i].Do == scenarios.Resize {
			c.Actions[i].Clusters = min(c.Actions[i].Clusters, count)
		}
	}
}

// keepOperations leaves some of the operations that are given, or the first one:
// with none given they would be drawn.
func keepOperations(c *scenarios.Scenario, keep func(scenarios.Operation) bool) {
	all := c.Workload.Operations
	left := slices.DeleteFunc(slices.Clone(all), func(o scenarios.Operation) bool { return !keep(o) })
	if len(left) == 0 && len(all) > 0 {
		left = all[:1]
	}
	c.Workload.Operations = left
}

func pick[T any](all []T, keep []int) []T {
	var some []T
	for _, i := range keep {
		some = append(some, all[i])
	}
	return some
}

func (s *search) faults() {
	all := s.best.Scenario.Faults
	s.minimize(len(all), 1, func(keep []int) *scenarios.Scenario {
		return s.edit(func(c *scenarios.Scenario) { c.Faults = pick(all, keep) })
	})
}

func (s *search) actions() {
	all := s.best.Scenario.Actions
	s.minimize(len(all), 1, func(keep []int) *scenarios.Scenario {
		return s.edit(func(c *scenarios.Scenario) { c.Actions = pick(all, keep) })
	})
}

func (s *search) operations() {
	all := s.best.Scenario.Workload.Operations
	s.minimize(len(all), 1, func(keep []int) *scenarios.Scenario {
		if len(keep) == 0 { // they would be drawn
			keep = []int{0}
		}
		return s.edit(func(c *scenarios.Scenario) { c.Workload.Operations = pick(all, keep) })
	})
}

func (s *search) operationHosts() {
	var with []int // that name a host
	for i, o := range s.best.Scenario.Workload.Operations {
		if !o.Host.IsZero() {
			with = append(with, i)
		}
	}
	s.minimize(len(with), coarse(len(with)), func(keep []int) *scenarios.Scenario {
		return s.edit(func(c *scenarios.Scenario) {
			for at, i := range with {
				if !slices.Contains(keep, at) {
					c.Workload.Operations[i].Host = scenarios.Target{}
				}
			}
		})
	})
}

// counted are the fields that other passes make smaller, or that say what the
// scenario is about.
var counted = []string{
	"name", "description", "duration", "warmup", "settle", "faults", "actions", "expect", "workload.operations", "workload.clients",
	"deployment.drummers", "deployment.nodehosts", "clusters.count", "clusters.first", "clusters.size", "clusters.bug",
}

// removable lists the paths of the other fields that differ from their defaults.
func removable(s *scenarios.Scenario) []string {
	return slices.DeleteFunc(s.Settings(), func(path string) bool {
		return slices.ContainsFunc(counted, func(p string) bool { return path == p || strings.HasPrefix(path, p+".") })
	})
}

// settings sets fields to their defaults.
func (s *search) settings() {
	base := s.best.Scenario
	all := removable(base)
	s.minimize(len(all), 1, func(keep []int) *scenarios.Scenario {
		var paths []string
		for i, path := range all {
			if !slices.Contains(keep, i) {
				paths = append(paths, path)
			}
		}
		c, err := base.Without(paths...)
		if err != nil {
			return nil
		}
		return c
	})
}

// maxFleet bounds the sizes of deployments that are tried in one round, and
// maxTurns the ways in which hosts are renumbered for each.
const (
	maxFleet = 4
	maxTurns = 3
)

// hosts tries fewer NodeHosts and members, the fewest first.
func (s *search) hosts() {
	members, hosts := s.best.Scenario.Clusters.Size, s.best.Scenario.Deployment.NodeHosts
	var sizes []int
	for size := 1; size < members; size += 2 {
		sizes = append(sizes, size)
	}
	sizes = append(sizes, members)
	var changes []func(*scenarios.Scenario)
	for _, size := range sizes {
		for n := size; n <= hosts && n < size+maxFleet && (size < members || n < hosts); n++ {
			for turn := range min(n, maxTurns) {
				changes = append(changes, func(c *scenarios.Scenario) {
					c.Clusters.Size, c.Deployment.NodeHosts = size, n
					renumber(c, scenarios.AnyNodeHost, n, turn)
				})
			}
		}
	}
	s.tryEach(changes...)
}

func (s *search) drummers() {
	var changes []func(*scenarios.Scenario)
	for n := 1; n < s.best.Scenario.Deployment.Drummers; n += 2 {
		changes = append(changes, func(c *scenarios.Scenario) {
			c.Deployment.Drummers = n
			renumber(c, scenarios.AnyDrummer, n, 0)
		})
	}
	s.tryEach(changes...)
}

// renumber gives every host of a class that the scenario names a number up to n:
// its own, turned by some, if it is too great.
func renumber(c *scenarios.Scenario, class scenarios.TargetClass, n, turn int) {
	one := func(t *scenarios.Target) {
		*t = t.Renumbered(func(of scenarios.TargetClass, number int) int {
			if of != class {
				return number
			}
			return (number-1+turn)%n + 1
		})
	}
	for _, l := range c.Leaves() {
		one(&l.Fault.Target)
	}
	for i := range c.Actions {
		one(&c.Actions[i].Host)
	}
	for i := range c.Workload.Operations {
		one(&c.Workload.Operations[i].Host)
	}
}

func (s *search) clients() {
	var changes []func(*scenarios.Scenario)
	for n := 1; n < s.best.Scenario.Workload.Clients; n *= 2 {
		changes = append(changes, func(c *scenarios.Scenario) { c.Workload.Clients = n })
	}
	s.tryEach(changes...)
}

// phases makes phases shorter.
func (s *search) phases() {
	lengths := []func(*scenarios.Scenario) *scenarios.Duration{
		func(c *scenarios.Scenario) *scenarios.Duration { return &c.Settle },
		func(c *scenarios.Scenario) *scenarios.Duration { return &c.Duration },
		func(c *scenarios.Scenario) *scenarios.Duration { return &c.Warmup },
	}
	for _, of := range lengths {
		s.halve(func(c *scenarios.Scenario, by int) bool {
			d := of(c)
			half := *d / scenarios.Duration(by)
			half = max(half-half%scenarios.Duration(time.Second), scenarios.Duration(time.Second))
			smaller := half < *d
			*d = half
			return smaller
		})
	}
}

// drawn makes the workload smaller where operations are drawn.
func (s *search) drawn() {
	if len(s.best.Scenario.Workload.Operations) > 0 {
		return
	}
	s.halve(func(c *scenarios.Scenario, by int) bool {
		c.Workload.Rate /= float64(by)
		return c.Workload.Rate >= 0.1
	})
	s.halve(func(c *scenarios.Scenario, by int) bool { c.Workload.Keys /= by; return c.Workload.Keys >= 1 })
}

// halve makes a number smaller as long as the violation stays: to an eighth, or
// else to the half. divide reports whether it is a smaller one at all.
func (s *search) halve(divide func(c *scenarios.Scenario, by int) bool) {
	for !s.over() {
		var all []*scenarios.Scenario
		for _, by := range []int{8, 2} {
			smaller := false
			c := s.edit(func(c *scenarios.Scenario) { smaller = divide(c, by) })
			if smaller {
				all = append(all, c)
			}
		}
		if s.accept(all) < 0 {
			return
		}
	}
}

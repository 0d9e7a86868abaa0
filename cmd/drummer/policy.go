// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule"
)

// policy is how eager and how careful Drummer is, as the configuration file
// says it. What is not there has its default. schedule.Policy explains each.
type policy struct {
	Suspect           span  `yaml:"suspect"`
	OperationDeadline span  `yaml:"operation_deadline"`
	Backoff           span  `yaml:"backoff"`
	BackoffCap        span  `yaml:"backoff_cap"`
	StartBackoffCap   span  `yaml:"start_backoff_cap"`
	JoinLimit         span  `yaml:"join_limit"`
	StartAttempts     count `yaml:"start_attempts"`
	OperationsPerHost count `yaml:"operations_per_host"`
	OperationsTotal   count `yaml:"operations_total"`
	JoinsPerHost      count `yaml:"joins_per_host"`
	FuseHosts         count `yaml:"fuse_hosts"`
	FusePercent       count `yaml:"fuse_percent"`
	FuseRegionPercent count `yaml:"fuse_region_percent"`
	FuseHold          span  `yaml:"fuse_hold"`
	Quarantine        span  `yaml:"quarantine"`
	QuarantineCap     span  `yaml:"quarantine_cap"`
	BalanceNodes      count `yaml:"balance_nodes"`
	BalanceLeaders    count `yaml:"balance_leaders"`
	BalancePercent    count `yaml:"balance_percent"`
	BalanceMoves      count `yaml:"balance_moves"`
	BalanceCalm       span  `yaml:"balance_calm"`
	Restarts          count `yaml:"restarts"`
}

// given is a value that the file gives, and where; line 0: it does not.
type given[T any] struct {
	value T
	line  int
}

type (
	span  = given[time.Duration]
	count = given[int]
)

// UnmarshalYAML remembers the line.
func (g *given[T]) UnmarshalYAML(node *yaml.Node) error {
	g.line = node.Line
	return node.Decode(&g.value)
}

// policyReader writes what the file gives over a policy and keeps the first
// mistake.
type policyReader struct {
	path string
	tick time.Duration
	err  error
}

func (r *policyReader) bad(line int, format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%s:%d: policy: "+format, append([]any{r.path, line}, args...)...)
	}
}

// ticks is a time of at least so many heartbeats, rounded up to whole ones.
func (r *policyReader) ticks(into *uint64, s span, name string, atLeast uint64) {
	const longest = 365 * 24 * time.Hour
	switch {
	case s.line == 0:
	case s.value < time.Duration(atLeast)*r.tick || s.value > longest:
		r.bad(s.line, "%s is %v, it must be from %v (%d heartbeats) to %v", name, s.value, time.Duration(atLeast)*r.tick, atLeast, longest)
	default:
		*into = uint64((s.value + r.tick - 1) / r.tick)
	}
}

func number[N int | uint32](r *policyReader, into *N, c count, name string, from, to int) {
	switch {
	case c.line == 0:
	case c.value < from || c.value > to:
		r.bad(c.line, "%s is %d, it must be from %d to %d", name, c.value, from, to)
	default:
		*into = N(c.value)
	}
}

// on is the base with what the file gives. A mistake is an error with file and
// line.
func (p policy) on(base schedule.Policy, path string, tick time.Duration) (schedule.Policy, error) {
	r := &policyReader{path: path, tick: tick}
	r.ticks(&base.Suspect, p.Suspect, "suspect", 2)
	r.ticks(&base.OperationDeadline, p.OperationDeadline, "operation_deadline", 5)
	r.ticks(&base.Backoff, p.Backoff, "backoff", 1)
	r.ticks(&base.BackoffCap, p.BackoffCap, "backoff_cap", 1)
	r.ticks(&base.StartCap, p.StartBackoffCap, "start_backoff_cap", 1)
	if base.OperationDeadline > db.MaxDeadlineTicks {
		r.bad(p.OperationDeadline.line, "operation_deadline is %v, more than %d heartbeats", p.OperationDeadline.value, db.MaxDeadlineTicks)
	}
	r.ticks(&base.JoinLimit, p.JoinLimit, "join_limit", 10)
	r.ticks(&base.FuseHold, p.FuseHold, "fuse_hold", 1)
	r.ticks(&base.Quarantine, p.Quarantine, "quarantine", 0)
	r.ticks(&base.QuarantineCap, p.QuarantineCap, "quarantine_cap", 0)
	r.ticks(&base.BalanceCalm, p.BalanceCalm, "balance_calm", 1)
	number(r, &base.StartAttempts, p.StartAttempts, "start_attempts", 1, 1000)
	number(r, &base.OperationsPerHost, p.OperationsPerHost, "operations_per_host", 1, math.MaxInt32)
	number(r, &base.OperationsTotal, p.OperationsTotal, "operations_total", 1, math.MaxInt32)
	number(r, &base.JoinsPerHost, p.JoinsPerHost, "joins_per_host", 1, math.MaxInt32)
	number(r, &base.FuseHosts, p.FuseHosts, "fuse_hosts", 0, math.MaxInt32)
	number(r, &base.FusePercent, p.FusePercent, "fuse_percent", 1, 100)
	number(r, &base.FuseRegionPercent, p.FuseRegionPercent, "fuse_region_percent", 1, 100)
	number(r, &base.BalanceNodes, p.BalanceNodes, "balance_nodes", 0, math.MaxInt32)
	number(r, &base.BalanceLeaders, p.BalanceLeaders, "balance_leaders", 0, math.MaxInt32)
	number(r, &base.BalancePercent, p.BalancePercent, "balance_percent", 0, 100)
	number(r, &base.BalanceMoves, p.BalanceMoves, "balance_moves", 0, math.MaxInt32)
	number(r, &base.Restarts, p.Restarts, "restarts", 0, math.MaxInt32)
	p.fit(r, base)
	return base, r.err
}

// maxStartCap bounds the wait between two starts of a node, in heartbeats: DrummerDB
// forgets its stops after twice as long.
const maxStartCap = 300

// fit checks what depends on each other.
func (p policy) fit(r *policyReader, result schedule.Policy) {
	if result.Suspect >= result.TTL && p.Suspect.line != 0 {
		r.bad(p.Suspect.line, "suspect is %v, it must be shorter than time_to_live", p.Suspect.value)
	}
	if line := max(p.Backoff.line, p.BackoffCap.line); line != 0 && result.BackoffCap < result.Backoff {
		r.bad(line, "backoff_cap is shorter than backoff")
	}
	if line := p.StartBackoffCap.line; result.StartCap > maxStartCap {
		r.bad(line, "start_backoff_cap is longer than %d heartbeats", maxStartCap)
	}
	if line := max(p.Quarantine.line, p.QuarantineCap.line); line != 0 && result.QuarantineCap < result.Quarantine {
		r.bad(line, "quarantine_cap is shorter than quarantine")
	}
}

// SPDX-License-Identifier: Apache-2.0

// Package policy is how eager and how careful Drummer is: the numbers that the
// scheduler goes by, with their defaults. It decides nothing.
package policy

// Policy is how eager and how careful Drummer is. Times are in ticks of
// DrummerDB's logical clock, by default one second each.
type Policy struct {
	// TTL is how long a host may be unheard of before it counts as dead.
	TTL uint64
	// Suspect is how long before it is no longer trusted with new work, and
	// no step that needs its word is taken.
	Suspect uint64
	// OperationDeadline is how long an operation may take.
	OperationDeadline uint64
	// Backoff is the wait after the first failure of a step; it doubles with
	// every further one up to BackoffCap.
	Backoff    uint64
	BackoffCap uint64
	// StartCap is the longest wait before a node is started again that stops each
	// time soon after it was started; the waits begin with Backoff and double. At
	// most 300: DrummerDB forgets a node's stops after 600 ticks.
	StartCap uint64
	// JoinLimit is how long a new observer may take to start and catch up
	// before it is given up. It doubles with every observer that failed.
	JoinLimit uint64
	// StartAttempts is how often in a row a node may fail to start on a host
	// that is up before it counts as dead.
	StartAttempts uint32
	// OperationsPerHost and OperationsTotal limit those in flight.
	OperationsPerHost int
	OperationsTotal   int
	// JoinsPerHost limits the observers that catch up on one host at a time:
	// each may mean a snapshot.
	JoinsPerHost int
	// A fuse is blown, and stops replacement, while more than FuseHosts hosts
	// and more than FusePercent of the fleet, or FuseRegionPercent of one of
	// several regions, have vanished within FuseHold ticks: one at least is dead,
	// the others are, too, or silent for half of their time to live.
	FuseHosts         int
	FusePercent       int
	FuseRegionPercent int
	FuseHold          uint64
	// Quarantine is how long a host that came back from the dead gets new
	// nodes only when no other host can take them. It doubles with every
	// further death, up to QuarantineCap.
	Quarantine    uint64
	QuarantineCap uint64
	// Nodes move from one host to another when it carries BalanceNodes fewer,
	// and leaders hand over when another host leads BalanceLeaders clusters
	// fewer, and BalancePercent of what it has; 0: never. At most BalanceMoves
	// clusters are moved at a time, and only while no host has died, returned
	// or joined for BalanceCalm ticks. Misplaced members move within the same
	// limit, to hosts that have been up for BalanceCalm ticks.
	BalanceNodes   int
	BalanceLeaders int
	BalancePercent int
	BalanceMoves   int
	BalanceCalm    uint64
	// Restarts limits the nodes that are being restarted at a time to take over
	// another Raft configuration, of all clusters; 0: none ever.
	Restarts int
}

// Default suits ticks of one second.
func Default() Policy {
	return Policy{
		TTL:               15,
		Suspect:           3,
		OperationDeadline: 10,
		Backoff:           2,
		BackoffCap:        60,
		StartCap:          16,
		JoinLimit:         120,
		StartAttempts:     5,
		OperationsPerHost: 64,
		OperationsTotal:   1024,
		JoinsPerHost:      32,
		FuseHosts:         2,
		FusePercent:       40,
		FuseRegionPercent: 60,
		FuseHold:          600,
		Quarantine:        30,
		QuarantineCap:     3600,
		BalanceNodes:      3,
		BalanceLeaders:    4,
		BalancePercent:    5,
		BalanceMoves:      2,
		BalanceCalm:       120,
		Restarts:          16,
	}
}

// BackoffAfter is the wait after so many failures in a row.
func (p Policy) BackoffAfter(failures uint32) uint64 {
	return doubled(p.Backoff, failures, p.BackoffCap)
}

// StartAfter is the wait after so many stops in a row.
func (p Policy) StartAfter(stops uint32) uint64 {
	return doubled(p.Backoff, stops, p.StartCap)
}

// QuarantineAfter is how long a host is avoided after so many deaths.
func (p Policy) QuarantineAfter(deaths uint32) uint64 {
	return doubled(p.Quarantine, deaths, p.QuarantineCap)
}

// JoinLimitAfter is how long an observer may take after so many that failed.
func (p Policy) JoinLimitAfter(failures uint32) uint64 {
	return doubled(p.JoinLimit, failures+1, p.JoinLimit*maxJoinDoubling)
}

// maxJoinDoubling caps the time given to an observer, in units of JoinLimit.
const maxJoinDoubling = 64

// doubled is 0 for no failure, base for one, and twice as much for each
// further one, up to limit.
func doubled(base uint64, failures uint32, limit uint64) uint64 {
	if failures == 0 {
		return 0
	}
	for ; failures > 1 && base < limit; failures-- {
		base *= 2
	}
	return min(base, limit)
}

// SPDX-License-Identifier: Apache-2.0

// Package schedule decides what Drummer does next, as a pure function of
// DrummerDB's state, a policy and a seed: no clock, no I/O, no goroutine.
// The same arguments give the same decisions, so any decision can be
// recomputed and explained from the index it was made at.
//
// It is level-triggered: each cluster by itself is looked at as it is now,
// and the next single step towards its specification follows from that alone.
// Nothing depends on an earlier decision having been carried out, so a lost
// result, a new leader or a replacement that dies half way needs no special
// case.
//
// A decision has these layers, each a package under internal:
//
//	fleet      how hosts and members are: facts alone
//	rule       what is wrong with a cluster, and the next single step: one file a
//	           rule, no limits
//	placement  where members live, and why not elsewhere
//	budget     how much at a time and when again: limits, fuses, quarantine, backoff
//
// Decide looks at every cluster, and takes the steps that rules ask for where
// placement has a place and the budget has room (steps.go); then it does what can
// wait (moves.go).
package schedule

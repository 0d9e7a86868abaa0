// SPDX-License-Identifier: Apache-2.0

// Package smtest tests one state machine against the contract of Dragonboat
// v3, without a cluster, from an ordinary Go test:
//
//	func TestLedger(t *testing.T) {
//		smtest.Run(t, smtest.Regular(ledger.New), smtest.Config{
//			Command: func(r *rand.Rand) []byte { … },
//			Query:   func(r *rand.Rand) any { … },
//		})
//	}
//
// Run makes random logs of commands and drives replicas of the state machine
// through each of them in the ways that Dragonboat does in production: in
// other batches, from snapshots, after restarts and power losses, with lookups
// and snapshots at the same time. All of them have to agree. What doesn't is
// shrunk to a few commands and reported with what the contract asks for, what
// to do, and a line that reproduces it.
//
// The package doesn't know what the commands mean. A state machine that does
// the wrong thing in the same way on every replica passes: that is for unit
// tests with expected results, or for a chaos run whose history is checked.
package smtest

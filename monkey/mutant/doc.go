// SPDX-License-Identifier: Apache-2.0

// Package mutant is a collection of planted bugs, to see what the monkey finds: in
// Dragonboat, in the simulation's storage and transport, in state machines and
// clients, and in Drummer. A harness is worth what it catches.
//
// All of them are in one program, made from edited copies of the source, each
// behind a switch; DRUMBEAT_MUTANT says which is on. None is in any other program:
// nothing here is part of a build without Build. The bugs that scenario files can
// ask for (clusters.bug) are another package, monkey/statemachine/mutant.
//
// To add one is to add a row to a table: where, what it breaks, when it can bite,
// and an edit. MUTANT in the edit stands for a condition that is true if the mutant
// is on, and that counts a strike: it comes last in a condition, where the bug makes
// a difference. TestTheTable checks that the edits fit.
//
// Command known-bad (monkey/mutant/knownbad) runs them and makes docs/known-bad.md.
package mutant

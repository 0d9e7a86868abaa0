// SPDX-License-Identifier: Apache-2.0

// Package mutant has known-bad versions of the bundled state machines. A
// scenario plants one of them to show that the checks find it: a harness that
// passes a mutant is broken.
//
// A new mutant is one file: its core, registered by the file's init with what it
// does, when it can strike and which checks must find it.
// How often a mutant really misbehaved is counted in Strikes, so that a bug that
// never struck is told from one that struck and was missed.
package mutant

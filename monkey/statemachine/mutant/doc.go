// SPDX-License-Identifier: Apache-2.0

// Package mutant has known-bad versions of the bundled state machines. A
// scenario plants one of them to show that the checks find it: a harness that
// passes a mutant is broken.
//
// A new mutant is one short file with a function that makes its core, and one
// line in the table Kinds, which says which checks must find it.
package mutant

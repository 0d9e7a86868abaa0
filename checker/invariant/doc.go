// SPDX-License-Identifier: Apache-2.0

// Package invariant judges what was recorded of a run against what must
// always hold in a deployment of replicated state machines. Each check is one
// file with its key, its documentation, its settings and a pure function of
// recorded facts, and defines itself with define; Checks lists them all. Its
// verdict is pass, violation, or inconclusive where the facts do not suffice. A
// check that was given nothing to look at is inconclusive, never pass.
//
// The facts are plain values that can be written to JSON and judged again
// later. The package collects nothing. Linearizability itself is package
// linear's; the check here calls it.
package invariant

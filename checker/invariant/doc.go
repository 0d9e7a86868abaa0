// SPDX-License-Identifier: Apache-2.0

// Package invariant judges what was recorded of a run against what must
// always hold in a deployment of replicated state machines. Each check is a
// pure function of recorded facts with a verdict of its own: pass, violation,
// or inconclusive where the facts don't suffice. A check that was given
// nothing to look at is inconclusive, never pass.
//
// The facts are plain values that can be written to JSON and judged again
// later. The package collects nothing, and leaves the linearizability of
// histories to package linear.
package invariant

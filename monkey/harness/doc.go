// SPDX-License-Identifier: Apache-2.0

// Package harness carries out chaos runs: it resolves a scenario, starts a
// world in a child process, has what that leaves judged, and writes the reports.
//
// Reading order: options.go (what a run is made from), run.go (one run from
// options to result), shrink.go (from a violation to the smallest scenario that
// shows it). What the child does is package engine's, what is judged judge's,
// what people look at report's.
package harness

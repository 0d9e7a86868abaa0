// SPDX-License-Identifier: Apache-2.0

// Package judge turns what a run left on disk into a Result: the same code
// right after a run and years later (monkey check). In the order of the data:
// recording.go reads the directory, facts.go makes the facts that checks judge,
// measures.go what is counted and timed, expect.go compares that with what the
// scenario expects, and judge.go makes the Result of all of it.
//
// It reads files only. What the checks are is checker/invariant's table, which
// it registers with package scenarios; what a scenario may expect is its own
// table, Measures.
package judge

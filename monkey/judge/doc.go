// SPDX-License-Identifier: Apache-2.0

// Package judge turns what a run left on disk into a Result: the same code
// right after a run and years later (monkey check). It reads files only; what
// the checks themselves are is checker/linear's and checker/invariant's.
package judge

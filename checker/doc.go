// SPDX-License-Identifier: Apache-2.0

// Package checker loads recorded histories and judges whether they are
// linearizable: a file in any of the formats of package history, or the
// directory of a run. It is what the command of the same name does, for Go
// programs:
//
//	h, err := checker.Load(ctx, "history.jsonl", checker.Options{})
//	...
//	r, err := h.Check(ctx, linear.Options{})
//
// A program that holds its operations in memory calls linear.Check.
package checker

// SPDX-License-Identifier: Apache-2.0

// Package zones decides keys on which each observed value was written once,
// in near-linear time; docs/checker.md has the theorem. It also finds an order
// of the operations of a legal key, and the few operations that make a key
// illegal.
//
// It judges finished keys; package online judges growing ones by the same
// rules. A key with appends, repeated values or the like is not decided here
// but by package search, or by way of package writers.
package zones

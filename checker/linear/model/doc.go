// SPDX-License-Identifier: Apache-2.0

// Package model holds sequential specifications: what answers a system gives
// that does one operation after the other. It also holds Verify, which replays
// an order of operations against one, and the three verdicts.
//
// It searches for no orders; packages zones and search do.
package model

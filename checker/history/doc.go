// SPDX-License-Identifier: Apache-2.0

// Package history holds what clients of a system did and what they were
// answered: the operation type, the recorder that writes operations to disk
// while a run goes on, and readers and writers for the formats that other
// tools use (JSONL, EDN, Jepsen logs; plain, gzip or zstd).
//
// It judges nothing. Whether a history is linearizable is the matter of
// package linear.
//
// Nothing here starts a goroutine or keeps a timer, so all of it also works
// inside a testing/synctest bubble.
package history

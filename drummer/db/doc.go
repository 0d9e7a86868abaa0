// SPDX-License-Identifier: Apache-2.0

// Package db is DrummerDB: the replicated memory of the Master, as a
// Dragonboat state machine. It records what is wanted (cluster
// specifications), what is reported (hosts, replicas, memberships) and what
// is being done about the difference (operations), and it holds the fences
// that make two leaders, lost answers and repeated requests harmless.
//
// State is plain data, immutable once published; Apply is the one function
// that makes a new one from a command. Package schedule decides what to do
// from a State; db only checks, when a decision is written, that what it was
// based on still holds. db does no I/O, reads no clock (time is the count of
// Tick commands) and never panics, whatever the bytes: a panic here would
// kill every replica, again at every replay.
package db

// SPDX-License-Identifier: Apache-2.0

// Package diskcheck tells, when a NodeHost starts, a log that ends where a crash
// tore it from one that lost what it had acknowledged.
//
// Dragonboat keeps its logs in Pebble, whose write-ahead log has no other end than
// the first record that is not valid. A flipped bit makes an end of any record, and
// what was behind it is forgotten without a word: votes and acknowledged entries.
// A replica that goes on from there may break every promise of Raft. So this
// package keeps, beside the log, a watermark of each replica: the term, vote,
// commit index and last index that its log has had. A log below its watermark is
// never started from. It also finds valid records behind an invalid one, tables and
// snapshots whose checksums don't match, and says which file it was, and where.
//
// It does not repair anything: a replica that lost its past is replaced by a new
// one, as if its disk were gone.
package diskcheck

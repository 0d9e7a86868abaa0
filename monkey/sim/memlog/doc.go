// SPDX-License-Identifier: Apache-2.0

// Package memlog keeps the Raft logs of a NodeHost in memory, and a journal of
// them on the host's disk. It is a raftio.ILogDB for simulations that do not aim at
// storage: Dragonboat's own, which is made of Pebble, sorts and merges what a
// simulation reads once, if at all.
//
// Whatever changes a log is appended to the journal as one record and synced
// before it is acknowledged, so that a power loss takes what was not synced and
// nothing else. A record is a sequence of changes, whose length and checksum stand
// before it: one of which a part is missing did not happen, with all of its
// changes. A new journal, which has only what is left, replaces one that has grown
// much longer.
//
// It does not look for rot: a record that is not valid ends the journal, whatever
// is behind it. A simulated disk loses what was not synced and changes nothing.
package memlog

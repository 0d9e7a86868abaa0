// SPDX-License-Identifier: Apache-2.0

// Package journal keeps the state of one on-disk state machine on a file
// system that may be killed or lose power at any moment: a checkpoint, and a
// log of the updates since then.
//
// A journal is a row of generations, of which only the newest one counts. The
// generation n is two files: checkpoint-n, which has the whole state at its
// beginning, and log-n, to which updates are appended. checkpoint-n gets its
// name only after both files and the folder are on disk, so a checkpoint with
// a name is whole; what is older is then removed.
//
// After a loss of power the log may end anywhere. Each record has a checksum,
// and what is behind the first bad one is lost: the state is then that of
// some earlier moment, never before the last Sync and never with a gap.
//
// The package does not know what the state or the updates mean.
package journal

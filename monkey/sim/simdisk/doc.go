// SPDX-License-Identifier: Apache-2.0

// Package simdisk is a simulated disk of one host. It tells a process kill from
// a power loss: after a kill everything written is still there, because the
// page cache belongs to the kernel; after a power loss only what was synced is.
//
// A Disk outlives the processes that use it. Each incarnation of a process
// mounts it and runs on the Mount, which is a vfs.FS for Dragonboat and Pebble.
// When the Disk is taken away (Kill, PowerLoss, Wipe, or the next Mount) the
// old Mount is detached: goroutines of the dead process may go on reading and
// writing for as long as they need to stop, see their own data and no error, and
// change nothing on the Disk.
//
// What counts as synced:
//   - the content of a file: what it was at the last Sync of a handle on it;
//   - the entry of a file or directory in its parent, and its removal or
//     renaming: what it was at the last Sync of a handle on the parent from
//     OpenDir. A synced file whose entry is not synced is gone, which is more
//     than most file systems do and what POSIX allows;
//   - a rename between two directories is one step, as a journal has it: a Sync
//     of either directory makes it durable, and all other entries with it.
//
// Content is held in blocks that are shared between the Disk and detached
// Mounts until one of them writes, so that Sync costs nothing for appended data and
// the end of an incarnation costs a walk over the files but copies no data.
//
// Syncs and writes take time if Mount.SetTimes says so. It is time of the host,
// not of the goroutine that calls: Sync returns at once, and the network holds
// back what the host sends meanwhile. So nobody learns of anything before it is
// durable, and what is acknowledged late is late for others; but on the host
// itself the next step follows at once, and a power loss does not find a Sync
// half done. PowerLossAtSync is for that.
//
// No operation returns an I/O error: one is fatal to Dragonboat by design, and a
// panic in its goroutines would end the simulation. FailNext ends the process at the
// operation that fails. It starts no goroutine.
package simdisk

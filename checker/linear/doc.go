// SPDX-License-Identifier: Apache-2.0

// Package linear decides whether histories are linearizable: whether every
// operation can be given one moment between its call and its return, such that
// the operations, done one after the other in the order of these moments, give
// the answers that the clients got.
//
// Check judges a finished history; online.Judge one that is still growing.
// Both judge each key on its own, which is sound because linearizability is
// local. A key whose observed values were each written once is decided by the
// zone algorithm in near-linear time; any other key by a general search that is
// bounded in time and memory and answers Unknown when it gives up.
//
// Histories stay in the fast part if every write writes a value of its own.
// Where values repeat, or keys are deleted or appended to, let the system
// store a name with each write and report it: see the Writer and
// ObservedWriter fields of history.Op.
//
// This package is the front; the work is done below it:
//
//	model     what answers a system may give       keylog    a history laid out by key
//	zones     the zone algorithm                   writers   the same by names of writes
//	search    the general search                   online    growing histories
//	explain   cores and sentences of violations    draw      pictures of them
//
// The package knows nothing of how histories came about, and decides nothing
// but linearizability; for everything else see package invariant.
package linear

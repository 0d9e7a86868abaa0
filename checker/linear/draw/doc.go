// SPDX-License-Identifier: Apache-2.0

// Package draw draws the operations of one key along time: those that can't be
// ordered marked and on top, those around them below, faults as bands behind,
// and the same in words. It makes a page of its own or a part of another one,
// without scripts and without anything from elsewhere.
//
// It judges nothing.
package draw

// SPDX-License-Identifier: Apache-2.0

package sim

import "github.com/lni/goutils/vfs"

// forDragonboat makes a file system acceptable to Dragonboat, whose Pebble
// log storage takes the operating system's, goutils' own in memory, or an
// ErrorFS, and panics at any other.
//
// The price: Dragonboat takes an ErrorFS for a test of its own and recovers
// from panics in its step workers. Two things keep them from going unnoticed:
// a panic through Dragonboat's logger ends the process there (see
// monkey.logDragonboat), and any other leaves a step worker fewer, which
// Examine counts.
func forDragonboat(fs vfs.FS) vfs.FS { return vfs.Wrap(fs, noErrors{}) }

// noErrors is a vfs.Injector of nothing.
type noErrors struct{}

func (noErrors) MaybeError(vfs.Op) error { return nil }

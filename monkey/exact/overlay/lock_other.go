// SPDX-License-Identifier: Apache-2.0

//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package overlay

import "errors"

// lock refuses: on these systems no process can be exact from its start.
func lock(string) (unlock func(), err error) {
	return nil, errors.New("exact runs need Linux, macOS or a BSD")
}

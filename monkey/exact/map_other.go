// SPDX-License-Identifier: Apache-2.0

//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package exact

import (
	"errors"
	"os"
)

// mapShared refuses: on these systems no process can be exact from its start.
func mapShared(*os.File, int64) ([]byte, error) {
	return nil, errors.New("exact runs need Linux, macOS or a BSD")
}

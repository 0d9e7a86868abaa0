// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package bubble

import (
	"os"
	"syscall"
)

// dieWithParent leaves it to the end of stdin.
func dieWithParent() *syscall.SysProcAttr { return nil }

// memoryCost is not known: each system counts in another unit.
func memoryCost(*os.ProcessState) (peak, faults int64) { return 0, 0 }

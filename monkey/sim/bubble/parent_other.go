// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package bubble

import (
	"os"
	"syscall"
)

// dieWithParent leaves it to the end of stdin.
func dieWithParent() *syscall.SysProcAttr { return nil }

// peakMemory is not known: each system counts it in another unit.
func peakMemory(*os.ProcessState) int64 { return 0 }

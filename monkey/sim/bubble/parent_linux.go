// SPDX-License-Identifier: Apache-2.0

package bubble

import (
	"os"
	"syscall"
)

// dieWithParent has the kernel kill the child when its parent is gone. The end
// of its stdin would do so too, but only when it gets to run.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

// peakMemory is the most memory that a process which has ended had resident.
func peakMemory(state *os.ProcessState) int64 {
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	return int64(usage.Maxrss) << 10 // Linux counts in KiB
}

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

// memoryCost is the most memory that a process which has ended had resident, in
// bytes, and how often the kernel had to give it a page.
func memoryCost(state *os.ProcessState) (peak, faults int64) {
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0, 0
	}
	return int64(usage.Maxrss) << 10, int64(usage.Minflt) + int64(usage.Majflt) // Linux counts in KiB
}

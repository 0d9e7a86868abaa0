// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"os"
	"syscall"
	"time"
)

// cpuTime returns the time that the processors have worked for this process.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// maxRSS returns the peak memory of a process that has ended, in bytes.
func maxRSS(p *os.ProcessState) (int64, bool) {
	u, ok := p.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0, false
	}
	return u.Maxrss << 10, true // the kernel counts in KiB
}

// SPDX-License-Identifier: Apache-2.0

//go:build linux

package bench

import (
	"os"
	"syscall"
)

// maxRSS returns the peak memory of a process that has ended, in bytes.
func maxRSS(p *os.ProcessState) (int64, bool) {
	u, ok := p.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0, false
	}
	return u.Maxrss << 10, true // the kernel counts in KiB
}

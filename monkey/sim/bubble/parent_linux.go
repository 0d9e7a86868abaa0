// SPDX-License-Identifier: Apache-2.0

package bubble

import "syscall"

// dieWithParent has the kernel kill the child when its parent is gone. The end
// of its stdin would do so too, but only when it gets to run.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

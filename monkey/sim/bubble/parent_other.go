// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package bubble

import "syscall"

// dieWithParent leaves it to the end of stdin.
func dieWithParent() *syscall.SysProcAttr { return nil }

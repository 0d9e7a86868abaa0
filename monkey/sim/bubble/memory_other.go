// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package bubble

// useHugePages does nothing: only Linux is asked for them.
func useHugePages() {}

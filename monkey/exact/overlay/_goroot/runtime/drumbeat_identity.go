// SPDX-License-Identifier: Apache-2.0

package runtime

import _ "unsafe" // for go:linkname

// exactPid is what a process of which everything is fixed has for its id.
const exactPid = 1

//go:linkname exactIdentity os.runtime_exactIdentity
func exactIdentity() (pid int, host string, ok bool) {
	return exactPid, "exact", exact.process
}

// exactWallClock is the wall clock of the main goroutine of an exact process:
// what seeds itself by the time while the program is initialized has the same
// seed in every run with the same seed.
func exactWallClock() (sec int64, nsec int32, ok bool) {
	gp := getg()
	if !exact.process || gp.goid != 1 {
		return 0, 0, false
	}
	const billion = 1000 * 1000 * 1000
	return 946684800, int32(exact.seed % billion), true
}

//go:linkname exactSysrand crypto/internal/sysrand.runtime_exactRead
func exactSysrand(b []byte) bool {
	for i := range b {
		v, ok := exactRand(getg())
		if !ok {
			return false
		}
		b[i] = byte(v >> 56)
	}
	return true
}

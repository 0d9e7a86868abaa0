// SPDX-License-Identifier: Apache-2.0

package smtest

import (
	"fmt"
	"runtime"
	"strings"
)

// reproduce is how a failure is made to happen again.
func (k *kit) reproduce(seed uint64) string {
	var names []string
	for name := range strings.SplitSeq(k.t.Name(), "/") {
		names = append(names, "^"+name+"$")
	}
	return fmt.Sprintf("Reproduce\n  go test -run '%s' %s -smtest.seed=%d\n", strings.Join(names, "/"), testPackage(), seed)
}

// testPackage is the import path of the package that the running test is in.
func testPackage() string {
	callers := make([]uintptr, 64)
	frames := runtime.CallersFrames(callers[:runtime.Callers(1, callers)])
	path := "."
	for {
		frame, more := frames.Next()
		if strings.HasPrefix(frame.Function, "testing.") || !more {
			return strings.TrimSuffix(path, "_test")
		}
		slash := strings.LastIndexByte(frame.Function, '/') + 1
		name, _, _ := strings.Cut(frame.Function[slash:], ".")
		path = frame.Function[:slash] + name
	}
}

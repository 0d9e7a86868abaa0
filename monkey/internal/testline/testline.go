// SPDX-License-Identifier: Apache-2.0

// Package testline makes the command lines that run one test again.
package testline

import (
	"regexp"
	"runtime"
	"strings"
)

// Pattern is the -run of a test or of a test within one, by the name that it has.
func Pattern(name string) string {
	var names []string
	for name := range strings.SplitSeq(name, "/") {
		names = append(names, "^"+regexp.QuoteMeta(name)+"$")
	}
	return strings.Join(names, "/")
}

// Package is the import path of the package whose test is running: the one that
// package testing has called on this goroutine.
func Package() string {
	callers := make([]uintptr, 64)
	frames := runtime.CallersFrames(callers[:runtime.Callers(1, callers)])
	path := "."
	for {
		frame, more := frames.Next()
		if strings.HasPrefix(frame.Function, "testing.") || strings.HasPrefix(frame.Function, "reflect.") || !more {
			return strings.TrimSuffix(path, "_test")
		}
		slash := strings.LastIndexByte(frame.Function, '/') + 1
		name, _, _ := strings.Cut(frame.Function[slash:], ".")
		path = frame.Function[:slash] + name
	}
}

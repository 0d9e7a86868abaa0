// SPDX-License-Identifier: Apache-2.0

package smtest

import (
	"fmt"
	"runtime"
	"strings"
)

// failure is how a state machine broke the contract. A check panics with one.
type failure struct {
	check *check
	what  string
	// log is the commands in the order of their entries, steps what was done
	// with them up to the failure.
	log   []entry
	steps []string
	hangs bool // the state machine is still in a call
}

// text is what a person reads about a failure.
func (f *failure) text(describe func([]byte) string) string {
	var out strings.Builder
	fmt.Fprintf(&out, "the state machine breaks Dragonboat's contract (%s)\n\n", f.check.name)
	section := func(title, body string) {
		fmt.Fprintf(&out, "%s\n%s\n\n", title, indent(body))
	}
	section("What happened", f.what)
	if len(f.steps) > 0 {
		section("What was done", strings.Join(f.steps, "\n"))
	}
	var log strings.Builder
	for i, e := range f.log {
		fmt.Fprintf(&log, "entry %d (index %d): %s\n", i+1, e.index, excerpt(describe(e.cmd)))
	}
	section("The log", log.String())
	section("What the contract asks for", wrap(f.check.contract))
	section("What to do", wrap(f.check.advice))
	return out.String()
}

func indent(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n  ")
}

// lineWidth is where wrap breaks lines.
const lineWidth = 96

// wrap breaks a paragraph into lines.
func wrap(text string) string {
	var out strings.Builder
	width := 0
	for word := range strings.FieldsSeq(text) {
		switch {
		case width == 0:
		case width+1+len(word) > lineWidth:
			out.WriteByte('\n')
			width = 0
		default:
			out.WriteByte(' ')
			width++
		}
		out.WriteString(word)
		width += len(word)
	}
	return out.String()
}

// maxFrames bounds the stack of a panic that a message shows.
const maxFrames = 8

// panicStack is the stack of the panic that is being recovered, from where it
// began down to the call from this package.
func panicStack() string {
	callers := make([]uintptr, 64)
	frames := runtime.CallersFrames(callers[:runtime.Callers(2, callers)])
	var lines []string
	for begun := false; len(lines) < maxFrames; {
		frame, more := frames.Next()
		switch {
		case strings.HasPrefix(frame.Function, "runtime."):
			begun = true
		case !begun:
		case strings.HasPrefix(frame.Function, packagePath+".(*replica)") || strings.HasPrefix(frame.Function, packagePath+".(*regularMachine)") || strings.HasPrefix(frame.Function, packagePath+".concurrentMachine") || strings.HasPrefix(frame.Function, packagePath+".(*onDiskMachine)"):
			return strings.Join(lines, "\n")
		default:
			lines = append(lines, fmt.Sprintf("  at %s (%s:%d)", frame.Function, frame.File, frame.Line))
		}
		if !more {
			break
		}
	}
	return strings.Join(lines, "\n")
}

const packagePath = "github.com/drumbeat-raft/drumbeat/monkey/smtest"

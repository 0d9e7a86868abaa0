// SPDX-License-Identifier: Apache-2.0

package monkey

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/explain"
	"github.com/drumbeat-raft/drumbeat/monkey/judge"
	"github.com/drumbeat-raft/drumbeat/monkey/report"
	"github.com/drumbeat-raft/drumbeat/monkey/rundir"
)

// Limits of what a story tells.
const (
	maxTold  = 12 // operations of a core: the last ones
	maxStack = 30 // lines of a panic's stack
)

// story tells a run that did not pass: the verdict, what was done to the system and
// what came of it, what is wrong, and how to see it again.
// expected says what an operation of a core would be answered; it may be nil.
func story(r *judge.Result, expected func(core []history.Op) string) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n", strings.ToUpper(string(r.Verdict)))
	if err := report.Table(&b, r); err != nil {
		fmt.Fprintf(&b, "the table can't be written: %s\n", err)
	}
	for _, c := range r.Checks {
		tellCheck(&b, c, expected)
	}
	for _, e := range r.Expect {
		if e.Verdict != judge.Pass {
			fmt.Fprintf(&b, "\nWhat the scenario expects: %s %s (%s)\n  %s\n", e.Name, e.Expected, e.Verdict, e.Detail)
		}
	}
	tellPanic(&b, r)
	fmt.Fprintf(&b, "\nThe report\n  %s\n\nReproduce\n  %s\n", filepath.Join(r.Dir, rundir.ReportFile), r.Reproduce)
	return b.String()
}

// tellCheck tells what a check found, unless all is well.
func tellCheck(b *bytes.Buffer, c judge.Check, expected func(core []history.Op) string) {
	if c.Verdict == judge.Pass {
		return
	}
	fmt.Fprintf(b, "\nWhat is wrong: %s (%s)\n  %s\n", c.Name, c.Verdict, c.Detail)
	if len(c.Operations) == 0 {
		return
	}
	fmt.Fprintf(b, "\nThe smallest part of the history that shows it: %d operations of cluster %d\n", len(c.Operations), c.Cluster)
	told := c.Operations
	if more := len(told) - maxTold; more > 0 {
		fmt.Fprintf(b, "  … %d before\n", more)
		told = told[more:]
	}
	for i := range told {
		fmt.Fprintf(b, "  %s\n", explain.Describe(&told[i]))
	}
	if expected == nil {
		return
	}
	if text := expected(c.Operations); text != "" {
		fmt.Fprintf(b, "  %s\n", text)
	}
}

// tellPanic tells where the process panicked, if it did.
func tellPanic(b *bytes.Buffer, r *judge.Result) {
	var end rundir.End
	if rundir.ReadJSON(r.Dir, rundir.EndFile, &end) != nil || end.Panic == "" {
		return
	}
	lines := strings.Split(end.Stack, "\n")
	if len(lines) > maxStack {
		lines = append(lines[:maxStack], "… more of it is in end.json")
	}
	fmt.Fprintf(b, "\nThe panic\n  %s\n  %s\n", strings.ReplaceAll(end.Panic, "\n", "\n  "), strings.Join(lines, "\n  "))
}

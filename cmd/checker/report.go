// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker"
	"github.com/drumbeat-raft/drumbeat/checker/linear"
	"github.com/drumbeat-raft/drumbeat/checker/linear/explain"
)

// printText prints the one line of a file, and on stderr what is to be said
// about it.
func printText(stdout, stderr io.Writer, path string, v *checker.Result, took time.Duration) {
	fmt.Fprintf(stdout, "%s: %s (%d ops, %v)\n", path, v.Verdict, v.Ops, took.Round(10*time.Microsecond))
	if v.Explanation != "" {
		fmt.Fprintf(stderr, "  %s\n", v.Explanation)
	}
	for i := range v.Core {
		fmt.Fprintf(stderr, "    %s\n", explain.Describe(&v.Core[i]))
	}
}

// report is the object of a file.
type report struct {
	File        string            `json:"file"`
	Verdict     linear.Verdict    `json:"verdict"`
	Ops         int               `json:"ops"`
	Checked     int               `json:"checked"`
	Seconds     float64           `json:"seconds"`
	Engine      string            `json:"engine"`
	Core        []json.RawMessage `json:"core,omitempty"`
	Explanation string            `json:"explanation,omitempty"`
	Certified   bool              `json:"certified,omitempty"`
	Error       string            `json:"error,omitempty"`
}

func printJSON(w io.Writer, path string, v *checker.Result, took time.Duration) {
	r := report{File: path, Verdict: v.Verdict, Ops: v.Ops, Checked: v.Checked, Seconds: took.Seconds(), Engine: v.Engine, Explanation: v.Explanation, Certified: v.Certified}
	for i := range v.Core {
		line, err := v.Core[i].AppendJSON(nil)
		if err != nil {
			r.Error = err.Error()
			continue
		}
		r.Core = append(r.Core, json.RawMessage(bytes.TrimSpace(line)))
	}
	r.print(w)
}

// printJSONError prints the object of a file without a verdict; ops are those
// that could be read.
func printJSONError(w io.Writer, path string, ops int, took time.Duration, err error) {
	r := report{File: path, Verdict: linear.Unknown, Ops: ops, Seconds: took.Seconds(), Engine: linear.None, Error: err.Error()}
	r.print(w)
}

// print leaves it to the output to remember its errors.
func (r *report) print(w io.Writer) { _ = json.NewEncoder(w).Encode(r) }

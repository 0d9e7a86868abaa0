// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear"
)

func modelByName(name string) (linear.Model, error) {
	if name == "auto" {
		return linear.Auto, nil
	}
	for _, m := range linear.Models {
		if m.Name() == name {
			return m, nil
		}
	}
	return nil, fmt.Errorf("--model %s is none of auto, register, cas-register, kv, counter, set, bank, sessions", name)
}

// judge deals with one file and returns its exit code.
func judge(ctx context.Context, o *options, path string, stdout, stderr io.Writer) int {
	start := time.Now()
	model, err := modelByName(o.model)
	if err != nil {
		return fail(stderr, err)
	}
	h, err := load(o, path, model, stderr)
	if err != nil {
		return fail(stderr, err)
	}
	if o.convert != "" {
		return convert(o, h, stderr)
	}
	res, err := h.check(ctx, o, model)
	if err != nil {
		return fail(stderr, fmt.Errorf("%s: %w", path, err))
	}
	if o.viz != "" {
		if err := drawPage(o, path, h, res); err != nil {
			return fail(stderr, err)
		}
	}
	if o.json {
		err = printJSON(stdout, path, res, time.Since(start))
	} else {
		err = printText(stdout, stderr, path, res, time.Since(start))
	}
	if err != nil {
		return fail(stderr, err)
	}
	return map[linear.Verdict]int{linear.OK: exitPass, linear.Violation: exitViolation, linear.Unknown: exitInconclusive}[res.Verdict]
}

func fail(stderr io.Writer, err error) int {
	var in *history.InputError
	if errors.As(err, &in) {
		err = in
	}
	fmt.Fprintf(stderr, "checker: %v\n", err)
	return exitUsage
}

func convert(o *options, h *loaded, stderr io.Writer) int {
	ops, err := h.all()
	if err != nil {
		return fail(stderr, err)
	}
	out, err := history.CreateFile(o.output)
	if err != nil {
		return fail(stderr, err)
	}
	if err := errors.Join(history.Write(out, ops, history.Format(o.convert)), out.Close()); err != nil {
		return fail(stderr, fmt.Errorf("%s as %s: %w", h.path, o.convert, err))
	}
	return exitPass
}

// printText prints the one line of a file, and on stderr what is to be said
// about it.
func printText(stdout, stderr io.Writer, path string, r linear.Result, took time.Duration) error {
	if _, err := fmt.Fprintf(stdout, "%s: %s (%d ops, %v)\n", path, r.Verdict, r.Ops, took.Round(10*time.Microsecond)); err != nil {
		return err
	}
	if r.Explanation != "" {
		fmt.Fprintf(stderr, "  %s\n", r.Explanation)
	}
	for i := range r.Core {
		fmt.Fprintf(stderr, "    %s\n", linear.Describe(&r.Core[i]))
	}
	return nil
}

type report struct {
	File        string            `json:"file"`
	Verdict     linear.Verdict    `json:"verdict"`
	Ops         int               `json:"ops"`
	Seconds     float64           `json:"seconds"`
	Engine      string            `json:"engine"`
	Core        []json.RawMessage `json:"core,omitempty"`
	Explanation string            `json:"explanation,omitempty"`
	Certified   bool              `json:"certified,omitempty"`
}

func printJSON(w io.Writer, path string, r linear.Result, took time.Duration) error {
	rep := report{File: path, Verdict: r.Verdict, Ops: r.Ops, Seconds: took.Seconds(), Engine: r.Engine, Explanation: r.Explanation, Certified: r.Orders != nil}
	for i := range r.Core {
		line, err := r.Core[i].AppendJSON(nil)
		if err != nil {
			return err
		}
		rep.Core = append(rep.Core, json.RawMessage(bytes.TrimSpace(line)))
	}
	return json.NewEncoder(w).Encode(rep)
}

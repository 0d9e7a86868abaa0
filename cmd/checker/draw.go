// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"

	"github.com/drumbeat-raft/drumbeat/checker"
	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear"
	"github.com/drumbeat-raft/drumbeat/checker/linear/draw"
	"github.com/drumbeat-raft/drumbeat/checker/linear/model"
)

// maxFigures is how many keys are drawn of a history without a violation.
const maxFigures = 20

// drawPage writes the page of --viz: the key of the violation, or, without
// one, every key.
func drawPage(ctx context.Context, o *options, h *checker.History, res linear.Result) error {
	ops, err := h.Ops(ctx)
	if err != nil {
		return fmt.Errorf("nothing is drawn: %w", err)
	}
	title, more := fmt.Sprintf("%s: %s", h.Path, res.Verdict), ""
	names, parts := partsOf(h.Model, ops)
	if len(res.Core) > 0 {
		names = []string{h.Model.Part(&res.Core[0])}
	}
	if len(names) > maxFigures {
		more = fmt.Sprintf("%d more keys are not drawn.", len(names)-maxFigures)
		names = names[:maxFigures]
	}
	var pages []draw.Page
	for _, name := range names {
		p := draw.Page{Ops: parts[name], Core: res.Core}
		if len(res.Core) > 0 || len(names) == 1 {
			p.Explanation = res.Explanation
		}
		switch {
		case name == "":
		case len(names) == 1:
			title = fmt.Sprintf("%s, key %s: %s", h.Path, name, res.Verdict)
		default:
			p.Title = "key " + name
		}
		pages = append(pages, p)
	}
	return history.WriteFile(o.viz, func(w io.Writer) error { return draw.HTML(w, title, more, pages...) })
}

// partsOf sorts operations by what is judged on its own (keys, but for a bank
// all accounts), in the order in which it first appears.
func partsOf(m model.Model, ops []history.Op) (names []string, parts map[string][]history.Op) {
	parts = make(map[string][]history.Op)
	for i := range ops {
		name := m.Part(&ops[i])
		if _, seen := parts[name]; !seen {
			names = append(names, name)
		}
		parts[name] = append(parts[name], ops[i])
	}
	return names, parts
}

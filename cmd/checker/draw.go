// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear"
	"github.com/drumbeat-raft/drumbeat/checker/linear/draw"
)

// drawPage writes the page of --viz: the key of the violation, or the first key.
func drawPage(o *options, path string, h *loaded, res linear.Result) error {
	ops, err := h.all()
	if err != nil {
		return err
	}
	key := ops[0].Key
	if len(res.Core) > 0 {
		key = res.Core[0].Key
	}
	if o.model != "bank" {
		ops = history.OfKey(ops, key)
	}
	f, err := os.Create(o.viz)
	if err != nil {
		return fmt.Errorf("drawing: %w", err)
	}
	title := fmt.Sprintf("%s: %s", path, res.Verdict)
	if key != "" {
		title = fmt.Sprintf("%s, key %s: %s", path, key, res.Verdict)
	}
	err = draw.HTML(f, draw.Page{Title: title, Explanation: res.Explanation, Ops: ops, Core: res.Core})
	return errors.Join(err, f.Close())
}

// SPDX-License-Identifier: Apache-2.0

package report

import (
	"html/template"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/draw"
	"github.com/drumbeat-raft/drumbeat/monkey/judge"
	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// violation is a key whose operations can't be ordered, drawn.
type violation struct {
	Cluster uint64
	Key     string
	Figure  template.HTML
}

// violations draws every key that a check found operations of.
func violations(checks []judge.Check, faults []timeline.Injection, ops []history.Op) ([]violation, error) {
	var bands []draw.Band
	for _, i := range faults {
		bands = append(bands, bandOf(i))
	}
	var drawn []violation
	for _, c := range checks {
		if len(c.Operations) == 0 {
			continue
		}
		figure, err := draw.Figure(draw.Page{Explanation: c.Detail, Ops: named(history.OfKey(ops, c.Key)), Core: named(c.Operations), Bands: bands})
		if err != nil {
			return nil, err
		}
		drawn = append(drawn, violation{c.Cluster, c.Key, figure})
	}
	return drawn, nil
}

// named calls hosts by their names, as faults do.
func named(ops []history.Op) []history.Op {
	all := append([]history.Op(nil), ops...)
	for i := range all {
		all[i].Host = world.HostOf(all[i].Host)
		if all[i].By != nil {
			by := *all[i].By
			by.Host, all[i].By = world.HostOf(by.Host), &by
		}
	}
	return all
}

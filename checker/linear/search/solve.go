// SPDX-License-Identifier: Apache-2.0

package search

import (
	"context"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/model"
)

// Limits bound and steer a search.
type Limits struct {
	// Memory bounds what each search may hold, in bytes.
	Memory int64
	// Orders asks porcupine for an order, too; the other searches find one in
	// any case.
	Orders bool
	// NoPorcupine and OnlyPorcupine choose among the searches.
	NoPorcupine, OnlyPorcupine bool
}

// Part is what is searched for an order.
type Part struct {
	*Problem
	// Model, Name and Ops are the same for porcupine, which takes operations.
	Model model.Model
	Name  string
	Ops   func() []history.Op
}

// Found is what a search found out.
type Found struct {
	Verdict model.Verdict
	// ByPorcupine says who found it out.
	ByPorcupine bool
	Order       []int // for an OK: positions in the problem
	Until       int64 // for a violation: the return by which no order was left
}

// Solve runs the searches one after the other: depth first, breadth first,
// porcupine. All are bounded by the context.
func Solve(ctx context.Context, p Part, l Limits) Found {
	if !l.OnlyPorcupine {
		if pl, ok := layOut(p.Problem, l.Memory); ok {
			for _, way := range []func(*search) (model.Verdict, []int32){(*search).depthFirst, (*search).breadthFirst} {
				s := newSearch(ctx, pl, l.Memory)
				v, path := way(s)
				if v == model.OK {
					return Found{Verdict: v, Order: s.order(path)}
				}
				if v == model.Violation {
					return Found{Verdict: v, Until: s.until()}
				}
			}
		}
	}
	if ctx.Err() != nil || l.NoPorcupine {
		return Found{Verdict: model.Unknown}
	}
	v, order := porcupineSearch(ctx, p.Model, p.Name, p.Ops(), l.Memory, l.Orders)
	return Found{Verdict: v, ByPorcupine: true, Order: order, Until: history.Never}
}

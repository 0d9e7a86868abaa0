// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear"
)

// linearizability judges the history of every key, and returns how many
// operations that rests on.
func (e *evidence) linearizability(ctx context.Context) ([]Check, int) {
	settings, enabled := JudgesLinearizability(e.scenario.Checks)
	if !enabled {
		return nil, 0
	}
	o := linear.Options{Timeout: settings.Timeout}
	res, err := linear.Check(ctx, e.history.Ops, o)
	if err != nil {
		return []Check{{Name: Linearizability, Verdict: Inconclusive, Detail: "the history is not one: " + err.Error()}}, 0
	}
	c := Check{Name: Linearizability}
	switch res.Verdict {
	case linear.OK:
		c.Verdict = Pass
		c.Detail = fmt.Sprintf("%d operations on %d keys of %d clusters, by %s", res.Checked, len(res.PerKey), e.clustersUsed(), res.Engine)
	case linear.Violation:
		return e.violations(ctx, res, o), settled(res)
	default:
		c.Verdict, c.Detail = Inconclusive, res.Explanation
	}
	return []Check{c}, settled(res)
}

// maxViolations bounds the keys whose violations are explained: one bug shows
// on many.
const maxViolations = 5

// violations explains every key that is not linearizable: the one that the
// result explains first, then others in their order.
func (e *evidence) violations(ctx context.Context, res linear.Result, o linear.Options) []Check {
	all := []Check{violated(res)}
	more := 0
	for _, k := range res.PerKey {
		switch {
		case k.Verdict != linear.Violation || k.Key == all[0].Key:
		case len(all) == maxViolations:
			more++
		default:
			// The same operations get the same verdict; only a search may be
			// out of time now.
			if one, err := linear.Check(ctx, history.OfKey(e.history.Ops, k.Key), o); err == nil && one.Verdict == linear.Violation {
				all = append(all, violated(one))
			} else {
				more++
			}
		}
	}
	if more > 0 {
		all[0].Detail += fmt.Sprintf("; %d more keys are not linearizable, which no check here explains", more)
	}
	return all
}

// violated is the check that a result's explained key fails.
func violated(res linear.Result) Check {
	c := Check{Name: Linearizability, Verdict: Violation, Operations: res.Core}
	c.Cluster, c.Key = place(res)
	c.Detail = fmt.Sprintf("cluster %d, key %s: %s", c.Cluster, c.Key, res.Explanation)
	return c
}

// settled counts the operations on keys that were judged to the end.
func settled(res linear.Result) int {
	n := 0
	for _, k := range res.PerKey {
		if k.Verdict != linear.Unknown {
			n += k.Ops
		}
	}
	return n
}

// place names the key of a violation, and its cluster.
func place(res linear.Result) (cluster uint64, key string) {
	if len(res.Core) > 0 {
		return res.Core[0].Cluster, res.Core[0].Key
	}
	i := slices.IndexFunc(res.PerKey, func(k linear.KeyResult) bool { return k.Verdict == linear.Violation })
	if i < 0 {
		return 0, ""
	}
	key = res.PerKey[i].Key
	number, _, _ := strings.Cut(key, "/")
	cluster, _ = strconv.ParseUint(number, 10, 64)
	return cluster, key
}

func (e *evidence) clustersUsed() int {
	used := map[uint64]bool{}
	for i := range e.history.Ops {
		used[e.history.Ops[i].Cluster] = true
	}
	return len(used)
}

// SPDX-License-Identifier: Apache-2.0

package invariant

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear"
)

// Linearizability is the key of the check of that name, which others ask for:
// it is also judged while a run goes on.
var Linearizability = define(Check{
	Key:   "linearizability",
	Name:  "linearizability",
	Doc:   "The recorded history of every key of every cluster is linearizable.",
	Needs: []Need{needHistory},
}, judgeLinearizability)

// LinearizabilitySettings are that check's settings.
type LinearizabilitySettings struct {
	Timeout time.Duration `key:"timeout" default:"60s" min:"1s" max:"24h" doc:"Time on the wall clock after which it gives up: inconclusive, never a pass."`
	Stop    bool          `key:"stop" default:"true" doc:"The run stops at the first operation that makes a history illegal; false: it goes on to its end."`
}

func judgeLinearizability(j *judgement, f *Facts, s *LinearizabilitySettings) string {
	o := linear.Options{Timeout: s.Timeout, Model: f.Model}
	if f.Model == nil && !ofKeys(f) {
		j.inconclusive("the operations are those of a test that brought its own: that test alone has the model to judge them by")
		return ""
	}
	res, err := linear.Check(j.ctx, f.Ops, o)
	if err != nil {
		j.inconclusive("the history is not one: %s", err)
		return ""
	}
	j.checked = settled(res)
	switch res.Verdict {
	case linear.OK:
	case linear.Violation:
		j.separate = violations(j, f.Ops, res, o)
	default:
		j.inconclusive("%s", res.Explanation)
	}
	return fmt.Sprintf("%d operations on %d keys of %d clusters, by %s", res.Checked, len(res.PerKey), clustersOf(f.Ops), res.Engine)
}

// How many keys have their violations explained: one bug shows on many. A search
// by a model that was brought along takes long.
const (
	maxExplained        = 5
	maxExplainedByModel = 1
)

// violations explains every key that is not linearizable: the one that the
// result explains first, then others in their order.
func violations(j *judgement, ops []history.Op, res linear.Result, o linear.Options) []Finding {
	all := []Finding{explained(res)}
	all[0].Checked = j.checked
	more, most := 0, maxExplained
	if o.Model != nil {
		most = maxExplainedByModel
	}
	for _, k := range res.PerKey {
		switch {
		case k.Verdict != linear.Violation || k.Key == all[0].Key:
		case len(all) == most:
			more++
		default:
			// The same operations get the same verdict; only a search may be
			// out of time now.
			if one, err := linear.Check(j.ctx, partOf(ops, k.Key, o), o); err == nil && one.Verdict == linear.Violation {
				all = append(all, explained(one))
			} else {
				more++
			}
		}
	}
	if more > 0 {
		all[0].Detail += fmt.Sprintf("; %d more keys are not linearizable, which no finding here explains", more)
	}
	return all
}

// partOf returns the operations that a key's verdict is about.
func partOf(ops []history.Op, key string, o linear.Options) []history.Op {
	if o.Model == nil {
		return history.OfKey(ops, key)
	}
	var part []history.Op
	for i := range ops {
		if o.Model.Part(&ops[i]) == key {
			part = append(part, ops[i])
		}
	}
	return part
}

// explained is the finding of a result's explained key.
func explained(res linear.Result) Finding {
	x := Finding{Check: "linearizability", Verdict: Violation, Operations: res.Core}
	x.Cluster, x.Key = place(res)
	x.Detail = fmt.Sprintf("cluster %d, key %s: %s", x.Cluster, x.Key, res.Explanation)
	return x
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

func clustersOf(ops []history.Op) int {
	used := map[uint64]bool{}
	for i := range ops {
		used[ops[i].Cluster] = true
	}
	return len(used)
}

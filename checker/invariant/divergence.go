// SPDX-License-Identifier: Apache-2.0

package invariant

import "fmt"

var needDivergences = Need{"comparisons of replicas while the run went on", func(f *Facts) bool { return f.Divergences != nil }}

var _ = define(Check{
	Key:     "divergence",
	Name:    "no divergence",
	Doc:     "Whenever two replicas of a cluster come to the same index, while the run goes on, they hold the same state; the first index at which they do not is named, with its entry.",
	Needs:   []Need{needDivergences},
	Applies: replicated,
}, judgeDivergence)

func judgeDivergence(j *judgement, f *Facts, _ *noSettings) string {
	for _, d := range f.Divergences {
		agreed := "they had not been compared before"
		if d.Agreed > 0 {
			agreed = fmt.Sprintf("they agreed at index %d", d.Agreed)
		}
		j.violation("cluster %d: nodes %d and %d differ at index %d, digests %s and %s, at %s; %s; the entry there: %s",
			d.Cluster, d.Node, d.Other, d.Index, d.Sum, d.OtherSum, seconds(d.At), agreed, d.Entry)
	}
	if f.Compared == 0 {
		j.inconclusive("no update of a replica was compared with another one's")
	}
	return fmt.Sprintf("%d updates of replicas were compared, and none differed", f.Compared)
}

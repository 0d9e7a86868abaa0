// SPDX-License-Identifier: Apache-2.0

package invariant

import "fmt"

var _ = define(Check{
	Key:     "decisions",
	Name:    "Drummer's decisions",
	Doc:     "A decision follows from the state alone, whatever was decided before; it says of each cluster that lacks something what it waits for; and locations are told as the state has them.",
	Needs:   []Need{needAudit},
	Applies: hasDrummer,
}, judgeDecisions)

func judgeDecisions(j *judgement, f *Facts, _ *noSettings) string {
	drummersBreaches(j, f, "decisions")
	if f.Audit.Looks == 0 {
		j.inconclusive("nobody looked")
	}
	return fmt.Sprintf("%d decisions follow from the state alone", f.Audit.Looks)
}

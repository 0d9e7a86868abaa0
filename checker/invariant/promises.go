// SPDX-License-Identifier: Apache-2.0

package invariant

import "fmt"

var _ = define(Check{
	Key:     "promises",
	Name:    "Drummer's promises",
	Doc:     "What Drummer promises holds for each of its operations: an observer comes first, has caught up, and goes where it suits; only voters that work for certain are counted on; the leader hands over; nothing that may be needed is destroyed; limits, fuses, waits and the warm-up of a new leader are kept.",
	Needs:   []Need{needAudit},
	Applies: hasDrummer,
}, judgePromises)

func judgePromises(j *judgement, f *Facts, _ *noSettings) string {
	drummersBreaches(j, f, "promises")
	if f.Audit.Operations == 0 {
		j.inconclusive("Drummer began no operation")
	}
	return fmt.Sprintf("%d operations were as promised", f.Audit.Operations)
}

// SPDX-License-Identifier: Apache-2.0

package invariant

import "fmt"

var _ = define(Check{
	Key:     "freshness",
	Name:    "fresh answers",
	Doc:     "No Drummer server answers by a state of DrummerDB that is older than what any of them had applied when it was asked, and the client goes on asking until its time is over.",
	Needs:   []Need{needAudit},
	Applies: hasDrummer,
}, judgeFreshness)

func judgeFreshness(j *judgement, f *Facts, _ *noSettings) string {
	drummersBreaches(j, f, "freshness")
	if f.Audit.Answers == 0 {
		j.inconclusive("no Drummer server answered what it was asked")
	}
	return fmt.Sprintf("%d answers of Drummer servers were as new as anything before", f.Audit.Answers)
}

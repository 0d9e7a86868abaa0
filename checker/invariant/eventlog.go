// SPDX-License-Identifier: Apache-2.0

package invariant

import "fmt"

var _ = define(Check{
	Key:     "event_log",
	Name:    "Drummer's event log",
	Doc:     "Drummer's event log tells of each change of hosts, clusters and operations, once and in order; and no operation outlives its time.",
	Needs:   []Need{needAudit},
	Applies: hasDrummer,
}, judgeEventLog)

func judgeEventLog(j *judgement, f *Facts, _ *noSettings) string {
	drummersBreaches(j, f, "event_log")
	if f.Audit.Events == 0 {
		j.inconclusive("no event was seen")
	}
	return fmt.Sprintf("%d events tell what has happened", f.Audit.Events)
}

// SPDX-License-Identifier: Apache-2.0

package invariant

import "fmt"

var _ = define(Check{
	Key:     "awareness",
	Name:    "Drummer knows",
	Doc:     "What has been so for twenty seconds DrummerDB says, of hosts that are attached to its leader: who runs, who follows whom, who is a member; and a host that is down is taken for dead in time. Disks that are slow give it more time; while a fault slows hosts or links down, nothing of this is judged.",
	Needs:   []Need{needAudit},
	Applies: hasDrummer,
}, judgeAwareness)

func judgeAwareness(j *judgement, f *Facts, _ *noSettings) string {
	drummersBreaches(j, f, "awareness")
	if f.Audit.Looks == 0 {
		j.inconclusive("nobody looked")
	}
	return fmt.Sprintf("%d times what DrummerDB says was what had been so for long", f.Audit.Looks)
}

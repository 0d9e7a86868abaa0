// SPDX-License-Identifier: Apache-2.0

package invariant

import (
	"fmt"
	"time"
)

type repairSettings struct {
	Max time.Duration `key:"max" optional:"true" doc:"A longer repair, from the death of a host to the full strength of a cluster, is a violation. Absent: only the end of settle counts."`
}

var _ = define(Check{
	Key:          "repair",
	Name:         "repair time",
	Doc:          "Every member that was lost for good is replaced, and in time.",
	Needs:        []Need{needRepairs},
	AfterHealing: true,
	Applies:      func(f *Facts) bool { return f.Repairs == nil || len(f.Repairs) > 0 }, // something was lost
}, judgeRepair)

func judgeRepair(j *judgement, f *Facts, s *repairSettings) string {
	longest := int64(0)
	for _, r := range f.Repairs {
		if r.RepairedAt == 0 {
			j.violation("cluster %d never got a replacement for node %d, lost at %s", r.Cluster, r.Node, seconds(r.LostAt))
			continue
		}
		took := r.RepairedAt - r.LostAt
		longest = max(longest, took)
		if took < 0 {
			j.inconclusive("cluster %d: node %d was replaced at %s, before it was lost at %s", r.Cluster, r.Node, seconds(r.RepairedAt), seconds(r.LostAt))
		}
		if limit := int64(s.Max); limit > 0 && took > limit {
			j.violation("cluster %d took %s to replace node %d; the limit is %s", r.Cluster, seconds(took), r.Node, seconds(limit))
		}
	}
	return fmt.Sprintf("%d members were replaced, the slowest after %s", len(f.Repairs), seconds(longest))
}

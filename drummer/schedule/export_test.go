// SPDX-License-Identifier: Apache-2.0

package schedule

import (
	"github.com/drumbeat-raft/drumbeat/drummer/db"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule/internal/fleet"
)

// Ailments says what is wrong with each member of a cluster that is not live.
func Ailments(state *db.State, policy Policy, c *db.Cluster) []string {
	var ailments []string
	for _, m := range fleet.New(state, policy).Assess(c).Members() {
		if m.Condition != fleet.Live {
			ailments = append(ailments, m.Why)
		}
	}
	return ailments
}

// SPDX-License-Identifier: Apache-2.0

package schedule

import "github.com/drumbeat-raft/drumbeat/drummer/db"

// Ailments says what is wrong with each member of a cluster that is not live.
func Ailments(state *db.State, policy Policy, c *db.Cluster) []string {
	var ailments []string
	for _, m := range newFleet(state, policy, 0).assess(c).members() {
		if m.is != live {
			ailments = append(ailments, m.why)
		}
	}
	return ailments
}

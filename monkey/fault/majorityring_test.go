// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

func TestInAMajorityRingEachReachesAMajority(t *testing.T) {
	strikes(t, "kind: majority-ring, target: all nodehost, lose_quorum: true", func(t *testing.T, b *board) {
		seen := map[string]bool{}
		for _, h := range b.Hosts() {
			if h.Role != world.NodeHost {
				continue
			}
			ring := h.Name
			for _, other := range b.reaches(h.Name) {
				if o := b.host(other); o.Role == world.NodeHost {
					ring += " " + other
				}
			}
			require.Len(t, b.reaches(h.Name), 2+3+1, "two neighbours, three Drummers, and the clients")
			seen[ring] = true
		}
		require.Len(t, seen, 5)
	})
}

// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestFallBehindLastsUntilTheTargetNeedsASnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard()
		carryOut(t, b, planOf(t, "kind: fall-behind, target: nodehost-2, at: [5s], for: 30s"), map[time.Duration]func(){
			10 * time.Second: func() {
				require.Equal(t, []string{"drummer-1", "drummer-2", "drummer-3", "clients"}, b.reaches("nodehost-2"))
				b.set(func() { b.compacted = true })
			},
			10500 * time.Millisecond: func() { requireWhole(t, b) },
		})
	})
	effect := strikesSimulation(t, "kind: fall-behind, target: cluster-follower of 1")
	require.EqualValues(t, 1, effect.FollowersBehind)
}

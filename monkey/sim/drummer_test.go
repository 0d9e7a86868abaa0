// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/drummer/client"
)

func TestDrummerServersShowTheirStates(t *testing.T) {
	inWorld(t, func(t *testing.T, w *World, _ *client.Client) {
		before := uint64(0)
		for _, up := range []int{3, 2, 3} {
			switch up {
			case 2:
				_, err := w.Kill("drummer-2")
				require.NoError(t, err)
			case 3:
				if before > 0 {
					require.NoError(t, w.Boot("drummer-2"))
				}
			}
			require.Eventually(t, func() bool {
				states := w.DrummerStates()
				for _, s := range states {
					if s.Index <= before || s.Index != states[0].Index || s.Digest() != states[0].Digest() || s.Host == "drummer-2" && s.NodeID != 2 {
						return false
					}
				}
				return len(states) == up
			}, time.Minute, 100*time.Millisecond)
			before = w.DrummerStates()[0].Index
		}
	})
}

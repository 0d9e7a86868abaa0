// SPDX-License-Identifier: Apache-2.0

package server

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A leader whose ticks did not reach the log for a while decides nothing from
// what it knew before: not until it has heard every host again, or has waited
// for the silent ones as a new leader would.
func TestALeaderThatStalledHearsTheFleetAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newMemoryServer(t, newBase(t))
		tick := func(heard ...string) bool {
			time.Sleep(w.server.config.Tick)
			for _, host := range heard {
				w.leadership.heard[host], w.leadership.met[host] = w.leadership.window, true
			}
			require.NoError(t, w.leadership.tick(w.ctx))
			return w.leadership.warmedUp(w.group.state)
		}
		for range 3 {
			require.True(t, tick("A", "B", "C", "D"))
		}
		require.True(t, tick("A", "B", "C"), "one silent host is nothing new")
		require.True(t, tick("A", "B", "C", "D"))

		time.Sleep(4 * w.server.config.Tick) // these ticks were lost
		require.False(t, w.leadership.warmedUp(w.group.state), "before the next tick")
		require.False(t, tick("A", "B", "C", "D"), "they were heard during the stall, and may have died since")
		require.False(t, tick("A", "B", "C"), "D may have died meanwhile")
		require.True(t, tick("A", "B", "C", "D"))

		time.Sleep(4 * w.server.config.Tick)
		for i := range defaultWarmUpTicks - 1 {
			require.False(t, tick("A", "B", "C"), "tick %d", i)
		}
		require.True(t, tick("A", "B", "C"))
	})
}

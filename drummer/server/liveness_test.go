// SPDX-License-Identifier: Apache-2.0

package server

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// A tick says who fell silent and who speaks again, and nothing of the others;
// DrummerDB knows all the same when each was last heard of.
func TestATickSaysOnlyWhatChangedOfHosts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newMemoryServer(t, newBase(t))
		var heard []string
		var silent []*pb.SilentHost
		tick := func(hosts ...string) {
			for _, host := range hosts {
				w.leadership.heard[host] = w.leadership.window
			}
			heard, silent = w.leadership.liveness(w.group.state)
			require.NoError(t, w.leadership.tick(w.ctx))
		}
		lastSeen := func(host string) uint64 { return w.group.state.LastSeen(w.group.state.Hosts.At(host)) }

		for range 3 {
			tick("A", "B", "C", "D")
			require.Empty(t, heard)
			require.Empty(t, silent)
		}
		tick("A", "B", "C")
		require.Empty(t, silent, "a heartbeat that is late is nothing new")
		tick("A", "B", "C")
		require.Len(t, silent, 1)
		require.Equal(t, uint64(3), lastSeen("D"), "when it was last heard of, not when it was missed")
		tick("A", "B", "C")
		require.Empty(t, silent, "it was said once")
		require.Equal(t, uint64(3), lastSeen("D"))
		tick("A", "B", "C", "D", "X")
		require.Equal(t, []string{"D", "X"}, heard)
		require.Equal(t, uint64(7), lastSeen("D"))
		require.Equal(t, uint64(7), lastSeen("A"))

		// A new leader has heard nobody yet. What it missed began with its leadership.
		w.leadership.window, w.leadership.heard = 1, map[string]uint64{}
		tick("A", "B")
		require.Empty(t, silent)
		tick("A", "B")
		require.Len(t, silent, 2)
		require.Equal(t, uint64(7), lastSeen("C"))
	})
}

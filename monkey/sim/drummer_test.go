// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/drummer/client"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
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

func TestLogsOnDisksAreListedUntilTheyAreRemoved(t *testing.T) {
	inWorld(t, func(t *testing.T, w *World, c *client.Client) {
		logs := func() (all []world.RaftLog) {
			for _, h := range w.Hosts() {
				if h.Role == world.NodeHost {
					onHost, err := w.Logs(h.Name)
					require.NoError(t, err)
					all = append(all, onHost...)
				}
			}
			return all
		}
		require.ElementsMatch(t, []world.RaftLog{{ClusterID: 1, NodeID: 1}, {ClusterID: 1, NodeID: 2}, {ClusterID: 1, NodeID: 3}}, logs())
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		require.NoError(t, c.DeleteClusters(ctx, "a test", 1))
		require.Eventually(t, func() bool { return len(logs()) == 0 }, 2*time.Minute, time.Second)
		_, err := w.Kill("nodehost-1")
		require.NoError(t, err)
		_, err = w.Logs("nodehost-1")
		require.EqualError(t, err, "no NodeHost runs on host nodehost-1")
	})
}

// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// Raft counts all ticks of a burst; a request that gets no answer expires when it
// should all the same.
func TestRequestsExpireInTimeWhereTicksComeInBursts(t *testing.T) {
	inStatic(t, 3, 0, 0, staticRaft(nil), func(t *testing.T, w *World) {
		const host = "nodehost-1"
		require.Error(t, w.SetTicks(host, world.Ticks{Speed: 1}))
		require.NoError(t, w.SetTicks(host, world.Ticks{Speed: 1, Burst: 5}))
		_, err := w.Kill(host)
		require.NoError(t, err)
		require.NoError(t, w.Boot(host))
		require.Eventually(t, func() bool { return propose(t, w, host, "v", time.Second) == nil }, time.Minute, 100*time.Millisecond)
		for _, peer := range []string{"nodehost-2", "nodehost-3"} {
			require.NoError(t, w.SetLink(host, peer, world.Link{Cut: true}))
		}
		before, err := w.RaftNodes(host)
		require.NoError(t, err)
		asked := time.Now()
		require.Error(t, propose(t, w, host, "lost", 5*time.Second))
		require.InDelta(t, 5*time.Second, time.Since(asked), float64(500*time.Millisecond))
		after, err := w.RaftNodes(host)
		require.NoError(t, err)
		require.InDelta(t, 5*time.Second/staticRTT, after[0].Ticks-before[0].Ticks, 30)
	})
}

// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/lni/dragonboat/v3/config"
	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

func TestAStaleChangeThatIsNotRefusedIsTold(t *testing.T) {
	for _, ordered := range []bool{true, false} {
		inStatic(t, 3, 0, 0, staticRaft(func(c *config.Config) { c.OrderedConfigChange = ordered }), func(t *testing.T, w *World) {
			at := leader(t, w)
			if ordered { // so that somebody can be added again
				p := w.byName[at].running().(*nodeHost)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				m, err := p.dragonboat.SyncGetClusterMembership(ctx, 1)
				require.NoError(t, err)
				other := slices.Max(slices.DeleteFunc(slices.Collect(maps.Keys(m.Nodes)), func(id uint64) bool { return world.HostOf(m.Nodes[id]) == at }))
				require.NoError(t, p.dragonboat.SyncRequestDeleteNode(ctx, 1, other, m.ConfigChangeID))
			}
			stop, err := w.StaleChanges(at)
			require.NoError(t, err)
			time.Sleep(3500 * time.Millisecond)
			stop()
			wrong := w.Examine()
			if ordered {
				require.Empty(t, wrong)
				require.EqualValues(t, 4, w.Traffic().ChangesRefused)
			} else {
				require.NotEmpty(t, wrong)
				require.Contains(t, wrong[0], "an addition of an observer of cluster 1 was accepted")
			}
		})
	}
}

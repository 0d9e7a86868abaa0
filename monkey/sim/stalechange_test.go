// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"testing"
	"time"

	"github.com/lni/dragonboat/v3/config"
	"github.com/stretchr/testify/require"
)

func TestAStaleChangeThatIsNotRefusedIsTold(t *testing.T) {
	for _, ordered := range []bool{true, false} {
		inStatic(t, 3, 0, 0, staticRaft(func(c *config.Config) { c.OrderedConfigChange = ordered }), func(t *testing.T, w *World) {
			stop, err := w.StaleChanges(leader(t, w))
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

// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// That hosts do stand still, and go on, takes an exact run: testdata/exact has it.
func TestPauseHasHostsStandStill(t *testing.T) {
	effect := strikes(t, "kind: pause, target: nodehost-2", func(t *testing.T, b *board) {
		require.Equal(t, []string{"5s pause nodehost-2"}, b.journal())
		require.True(t, b.Running("nodehost-2"))
		t.Cleanup(func() { require.Contains(t, b.journal()[1], "resume nodehost-2") })
	})
	require.Equal(t, world.Effect{GoroutinesHeld: 1}, effect)
}

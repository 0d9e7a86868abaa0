// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

func TestLostFilesAreGone(t *testing.T) {
	effect := strikes(t, "kind: lost-files, target: nodehost-2, in: log", func(t *testing.T, b *board) {
		require.Equal(t, []string{"5s kill nodehost-2", "5s log files lost nodehost-2"}, b.journal())
	})
	require.Equal(t, world.Effect{ProcessesEnded: 2, FilesLost: 1, DisksRefused: 1}, effect, "the board ends a process with each disk")
	for _, in := range []string{"raft", "log", "record"} {
		effect = strikesSimulation(t, "kind: lost-files, target: nodehost-2, in: "+in)
		require.Positive(t, effect.FilesLost, in)
	}
}

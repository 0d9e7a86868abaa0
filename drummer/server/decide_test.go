// SPDX-License-Identifier: Apache-2.0

package server

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/drummer/schedule"
)

// A decision by what has changed that is wrong is found by the next cross-check,
// counted, and not followed.
func TestACrossCheckFindsAWrongMemory(t *testing.T) {
	w := newMemoryServer(t, newBase(t))
	l, counts := w.leadership, &w.server.decisions
	launches := len(l.decide(w.group.state).Operations)
	require.NotZero(t, launches, "cluster 2 is to be started")
	require.Equal(t, uint64(1), counts.checked.Load())

	// A state that somebody changed in place: that is what no memory can see.
	wrong := *w.group.state
	l.memory = schedule.Memory{}
	c := *wrong.Clusters.At(2)
	wrong.Clusters = wrong.Clusters.Set(2, &c)
	spec := c.Spec
	c.Spec = nil
	l.memory.Decide(&wrong, w.server.config.Policy, Seed(&wrong))
	c.Spec = spec

	require.Empty(t, l.decide(&wrong).Operations, "not yet")
	require.Zero(t, counts.differences.Load())
	l.window += crossCheckWindows
	require.Len(t, l.decide(&wrong).Operations, launches)
	require.Equal(t, uint64(1), counts.differences.Load())
	require.Len(t, l.decide(&wrong).Operations, launches, "from an empty memory")
	require.Equal(t, uint64(4), counts.made.Load())
	require.Equal(t, uint64(2), counts.checked.Load())
}

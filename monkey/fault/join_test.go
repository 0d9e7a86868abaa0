// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/sim"
	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

func TestJoinStartsAHostThatWasNotThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := scenarios.Parse("test.yaml", []byte(`
name: test
duration: 30s
deployment: {drummers: 1, nodehosts: 4}
faults:
  - {kind: join, target: nodehost-4, at: [5s]}
  - {kind: kill, target: nodehost-4, at: [20s], for: 2s}
`))
		require.NoError(t, err)
		require.Equal(t, []string{"nodehost-4"}, s.JoinLater())
		w := simulation(s, func(c *sim.Config) { c.Later = s.JoinLater() })
		defer w.Stop()
		require.NoError(t, w.Start(context.Background()))
		require.True(t, w.Running("nodehost-3"))
		require.False(t, w.Running("nodehost-4"))
		r, done := injecting(t, w, s)
		time.Sleep(10 * time.Second)
		require.True(t, w.Running("nodehost-4"))
		require.NoError(t, <-done)
		require.True(t, w.Running("nodehost-4"))
		require.Equal(t, world.Effect{HostsJoined: 1}, *facts[timeline.InjectionEnded](r)[0].Effect)
	})
}

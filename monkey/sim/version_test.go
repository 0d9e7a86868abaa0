// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/drummer/agent"
	"github.com/drumbeat-raft/drumbeat/drummer/client"
)

// A host has the version that was set last at each start, and counts the starts at
// which it was another one.
func TestAHostKeepsItsVersion(t *testing.T) {
	inWorld(t, func(t *testing.T, w *World, _ *client.Client) {
		const host = "nodehost-2"
		var started []int
		of := w.cfg.Applications
		w.cfg.Applications = func(e Environment) map[string]agent.Application {
			require.Equal(t, host, e.Host.Name)
			started = append(started, e.Version)
			return of(e)
		}
		again := func() {
			_, err := w.Kill(host)
			require.NoError(t, err)
			require.NoError(t, w.Boot(host))
		}
		again()
		require.Equal(t, 1, w.Version(host))
		for _, changed := range []bool{true, false} {
			got, err := w.SetVersion(host, 2)
			require.NoError(t, err)
			require.Equal(t, changed, got)
		}
		require.Zero(t, w.Upgrades(), "it has not started since")
		again()
		again()
		_, err := w.PowerLoss(host)
		require.NoError(t, err)
		require.NoError(t, w.Boot(host))
		require.Equal(t, 1, w.Upgrades())
		_, err = w.SetVersion(host, 1)
		require.NoError(t, err)
		again()
		require.Equal(t, 2, w.Upgrades(), "it was set back")
		require.Equal(t, []int{1, 2, 2, 2, 1}, started)
		require.Equal(t, 1, w.Version("nodehost-1"))
	})
}

func TestOnlyNodeHostsHaveAVersion(t *testing.T) {
	inWorld(t, func(t *testing.T, w *World, _ *client.Client) {
		_, err := w.SetVersion("drummer-1", 2)
		require.ErrorContains(t, err, "drummer-1 runs no state machine")
		_, err = w.SetVersion("nodehost-9", 2)
		require.Error(t, err)
		_, err = w.SetVersion("nodehost-1", 0)
		require.Error(t, err)
		require.Zero(t, w.Version("drummer-1"))
		require.Zero(t, w.Version("nodehost-9"))
	})
}

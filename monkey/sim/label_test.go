// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"bytes"
	"regexp"
	"runtime/pprof"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/drummer/client"
)

// TestGoroutinesAreLabelledWithTheirHosts looks at Dragonboat's workers and at the
// agents.
func TestGoroutinesAreLabelledWithTheirHosts(t *testing.T) {
	inWorld(t, func(t *testing.T, w *World, _ *client.Client) {
		require.NoError(t, w.Boot(kill(t, w, "nodehost-2")))
		synctest.Wait() // a goroutine that has not run yet does not show what it is
		var text bytes.Buffer
		require.NoError(t, pprof.Lookup("goroutine").WriteTo(&text, 1))
		workers := regexp.MustCompile(`(?m)^\d+ @ .*\n(# labels: \{"host":"([^"]+)"\}\n)?(#.*\n)*#.*(stepWorkerMain|agent\.\(\*Agent\)\.run).*$`)
		hosts := map[string]bool{}
		for _, m := range workers.FindAllStringSubmatch(text.String(), -1) {
			require.NotEmpty(t, m[2], m[0])
			hosts[m[2]] = true
		}
		for _, h := range w.Hosts() {
			require.True(t, hosts[h.Name], h.Name)
		}
	})
}

func kill(t *testing.T, w *World, host string) string {
	_, err := w.Kill(host)
	require.NoError(t, err)
	return host
}

// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// While a fault slows something down, and no longer, those who
// judge how long things take are told.
func TestWhatSlowsDownHampers(t *testing.T) {
	for fault, want := range map[string]string{
		"kind: delay, target: nodehost-2, latency: 1s, at: [5s], for: 10s":             "false true false",
		"kind: partition, target: nodehost-2, at: [5s], for: 10s":                      "false false false",
		"kind: reset, target: nodehost-2, pause: 1s, at: [5s], for: 10s":               "false true false",
		"kind: slow-disk, target: nodehost-2, least: 1s, most: 2s, at: [5s], for: 10s": "false true false",
		"kind: kill, target: nodehost-2, at: [5s], for: 10s":                           "false false false",
	} {
		t.Run(fault, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBoard()
				in := NewInjector(b, &record{start: b.start}, b.safe, b)
				done := make(chan error, 1)
				go func() {
					done <- in.Run(t.Context(), time.Now(), time.Minute, planOf(t, fault))
				}()
				var seen []string
				for _, at := range []time.Duration{4 * time.Second, 10 * time.Second, 20 * time.Second} {
					time.Sleep(time.Until(b.start.Add(at)))
					seen = append(seen, fmt.Sprint(in.Hampers()))
				}
				require.Equal(t, want, strings.Join(seen, " "))
				require.NoError(t, <-done)
			})
		})
	}
}

func TestDelayHoldsTheTargetsMessagesBack(t *testing.T) {
	effect := strikes(t, "kind: delay, target: nodehost-2, latency: 100ms, jitter: 50ms", func(t *testing.T, b *board) {
		late := world.Link{Delay: 100 * time.Millisecond, Jitter: 50 * time.Millisecond}
		require.Equal(t, late, b.link("nodehost-2", "nodehost-1"))
		require.Equal(t, late, b.link(world.Clients, "nodehost-2"))
		require.Len(t, b.links(), 16, "eight places, both ways")
	})
	require.Equal(t, world.Effect{MessagesDelayed: 1}, effect)
	strikesSimulation(t, "kind: delay, target: nodehost-2, latency: 100ms, jitter: 50ms")
}

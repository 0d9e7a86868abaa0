// SPDX-License-Identifier: Apache-2.0

package simdisk

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/latency"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

func TestSyncsAndWritesTakeTime(t *testing.T) {
	const ms = scenarios.Duration(time.Millisecond)
	d := New()
	m := d.Mount()
	var took []time.Duration
	m.SetTimes(Times{
		Sync: latency.Of(scenarios.Latency{Min: 3 * ms, Median: 3 * ms, P99: 3 * ms}), Write: latency.Of(scenarios.Latency{Min: ms, Median: ms, P99: ms}),
		Rand: rand.New(rand.NewPCG(1, 1)), Pass: func(d time.Duration) { took = append(took, d) },
	})
	f, err := m.Create("f")
	require.NoError(t, err)
	_, err = f.Write([]byte("text"))
	require.NoError(t, err)
	require.NoError(t, f.Sync())
	require.NoError(t, f.Sync())
	require.Equal(t, []time.Duration{time.Millisecond, 3 * time.Millisecond}, took, "a second sync has nothing to do")
	root, err := m.OpenDir("/")
	require.NoError(t, err)
	require.NoError(t, root.Sync())
	require.Len(t, took, 3)
	d.Kill()
	_, err = f.Write([]byte("text"))
	require.NoError(t, err)
	require.NoError(t, f.Sync())
	require.Len(t, took, 3, "what a dead process does takes nobody's time")
}

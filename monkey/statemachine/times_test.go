// SPDX-License-Identifier: Apache-2.0

package statemachine

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/latency"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

func TestTimedCoresTakeTimeToApplyAndToSnapshot(t *testing.T) {
	always := func(d time.Duration) latency.Distribution {
		s := scenarios.Duration(d)
		return latency.Of(scenarios.Latency{Min: s, Median: s, P99: s})
	}
	var took []time.Duration
	times := Times{
		Apply: always(2 * time.Millisecond), Snapshot: always(time.Second), Rand: rand.New(rand.NewPCG(1, 1)),
		Pass: func(d time.Duration) { took = append(took, d) },
	}
	core := Timed(Correct, times)(1, 1)
	answer := core.Apply(1, kv.Command{Op: kv.Put, Key: "k", Value: kv.Some("v"), Writer: "w"}.Encode())
	require.Equal(t, kv.OK, answer.Status)
	core.Lookup(kv.GetQuery("k"))
	core.Image()
	require.Equal(t, []time.Duration{2 * time.Millisecond, time.Second}, took)
	require.IsType(t, Correct(1, 1), Timed(Correct, Times{})(1, 1), "without times nothing is put between")
}

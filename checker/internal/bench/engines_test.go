// SPDX-License-Identifier: Apache-2.0

package linear_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/internal/bench"
	"github.com/drumbeat-raft/drumbeat/checker/internal/generate"
	"github.com/drumbeat-raft/drumbeat/checker/linear"
)

// BenchmarkZones judges histories inside the fragment, from the form in which
// the readers leave them. `make bench-checker` compares with porcupine.
func BenchmarkZones(b *testing.B) {
	for _, h := range []struct {
		name               string
		ops, keys, clients int
	}{
		{"1M_x_1000_x_32", 1_000_000, 1000, 32},
		{"1M_x_1_x_128", 1_000_000, 1, 128},
		{"10k_x_10_x_128", 10_000, 10, 128},
	} {
		b.Run(h.name, func(b *testing.B) {
			log := linear.NewLog()
			generate.Each(generate.Spec{Seed: 1, Ops: h.ops, Keys: h.keys, Clients: h.clients, Unknown: 0.01, Put: 0.4, Cas: 0.1},
				func(op history.Op) { require.NoError(b, log.Add(&op)) })
			b.ReportAllocs()
			for b.Loop() {
				res := linear.CheckLog(b.Context(), log, nil, linear.Options{})
				require.Equal(b, linear.OK, res.Verdict)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*h.ops), "ns/operation")
		})
	}
}

// BenchmarkOnline judges a growing history, event by event.
func BenchmarkOnline(b *testing.B) {
	for _, h := range []struct {
		name string
		spec generate.Spec
	}{
		{"20k_x_100_x_32", generate.Spec{Seed: 1, Ops: 20_000, Keys: 100, Clients: 32, Unknown: 0.01, Put: 0.4, Cas: 0.1}},
		{"1M_x_1000_x_32", generate.Spec{Seed: 1, Ops: 1_000_000, Keys: 1000, Clients: 32, Unknown: 0.01, Put: 0.4, Cas: 0.1}},
		{"20k_x_100_x_32_named", generate.Spec{Seed: 1, Ops: 20_000, Keys: 100, Clients: 32, Unknown: 0.01, Put: 0.4, Cas: 0.1, Named: true}},
	} {
		b.Run(h.name, func(b *testing.B) {
			events := generate.Events(generate.History(h.spec))
			b.ReportAllocs()
			var took time.Duration
			for b.Loop() {
				t, err := ratios.Online(events)
				require.NoError(b, err)
				took += t
			}
			b.ReportMetric(float64(took.Nanoseconds())/float64(b.N*h.spec.Ops), "ns/operation")
		})
	}
}

// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"bytes"
	"context"
	"flag"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/generate"
)

var (
	compareSeed  = flag.Uint64("compare.seed", 1, "seed of the comparison with porcupine")
	compareCount = flag.Int("compare.histories", 60_000, "number of histories to compare")
)

func smallSpec(rng *rand.Rand) generate.Spec {
	s := generate.Spec{
		Seed: rng.Uint64(), Ops: 2 + rng.IntN(11), Keys: 1 + rng.IntN(2), Clients: 1 + rng.IntN(5),
		Unknown: []float64{0, 0.1, 0.3}[rng.IntN(3)], Failed: 0.05 * float64(rng.IntN(2)),
		Put: 0.3, Ties: rng.IntN(2) == 0, Strings: rng.IntN(2) == 0,
	}
	if rng.IntN(3) > 0 {
		s.Cas = 0.25
	}
	if rng.IntN(3) == 0 {
		s.Values = 2 + rng.IntN(3)
	}
	if rng.IntN(4) == 0 {
		s.Append = 0.15
	}
	if rng.IntN(4) == 0 {
		s.Delete = 0.15
	}
	if rng.IntN(4) == 0 {
		s.Blind = 0.5
	}
	if rng.IntN(6) == 0 {
		s.Named = true
	}
	return s
}

func lines(ops []history.Op) string {
	var b bytes.Buffer
	_ = history.WriteJSONL(&b, ops)
	return b.String()
}

// withoutNames drops the names of writes, which porcupine's model ignores.
func porcupineSays(ctx context.Context, ops []history.Op) Verdict {
	v := OK
	parts, err := split(KV, ops)
	if err != nil {
		return Unknown
	}
	for _, p := range parts {
		if one, _ := searchPorcupine(ctx, KV, p.name, p.ops, 1<<30, false); one != OK {
			v = one
		}
	}
	return v
}

func TestEnginesAgreeWithPorcupineOnRandomHistories(t *testing.T) {
	rng := rand.New(rand.NewPCG(*compareSeed, 0))
	counts := map[string]int{}
	for n := range *compareCount {
		ops := generate.History(smallSpec(rng))
		if rng.IntN(3) > 0 {
			generate.Damage(rng, ops)
		}
		rng.Shuffle(len(ops), func(i, j int) { ops[i], ops[j] = ops[j], ops[i] })
		want := porcupineSays(t.Context(), ops)
		res, err := Check(t.Context(), ops, Options{Certify: true})
		require.NoError(t, err)
		require.Equal(t, want, res.Verdict, "history %d of seed %d (%s: %s)\n%s", n, *compareSeed, res.Engine, res.Explanation, lines(ops))
		counts[res.Engine+" "+string(res.Verdict)]++
		if n%4 == 0 {
			res, err = Check(t.Context(), ops, Options{Engine: EngineSearch, Certify: true})
			require.NoError(t, err)
			require.Equal(t, want, res.Verdict, "history %d of seed %d by search\n%s", n, *compareSeed, lines(ops))
		}
	}
	t.Log(counts)
}

// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"context"
	"math/rand/v2"

	"github.com/drumbeat-raft/drumbeat/scenarios"
)

type resize struct {
	Size     scenarios.Counts `key:"size" required:"true" doc:"How many members the clusters get, such as 5 or 3..7; drawn once for each fault."`
	Clusters scenarios.Counts `key:"clusters" default:"1" doc:"How many clusters, such as 2 or 1..4; which ones is drawn."`
}

func init() {
	register(kind[resize]{
		name:       "resize",
		doc:        "Drummer is asked to give some clusters another number of members, and to give them their own back when the fault ends.",
		colour:     "#6a8ac0",
		effect:     "requests_accepted",
		class:      scenarios.OfFleet,
		needs:      scenarios.CanOperate,
		untargeted: true,
		validate: func(s *scenarios.Scenario, _ *scenarios.Fault, p resize, report func(key, format string, args ...any)) {
			needsDrummer(s, "resize", report)
			if p.Size.Min < 1 || p.Size.Max > s.Deployment.NodeHosts {
				report("size", "found %s, expected from 1 to %d, the number of NodeHosts", p.Size, s.Deployment.NodeHosts)
			}
		},
		begin: func(i *injection, p resize) error {
			i.operate("resize", func(ctx context.Context, o Operator) error {
				i.chosen = choose(i.rng, o.Clusters(), p.Clusters.Min)
				return o.Resize(ctx, p.Size.Min, i.chosen...)
			})
			return nil
		},
		end: func(i *injection, _ resize) error {
			i.operate("resize", func(ctx context.Context, o Operator) error { return o.Resize(ctx, 0, i.chosen...) })
			return nil
		},
	})
}

// choose draws n of all, or all where there are no more.
func choose(rng *rand.Rand, all []uint64, n int) []uint64 {
	rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:min(n, len(all))]
}

// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"context"

	"github.com/drumbeat-raft/drumbeat/scenarios"
)

type newClusters struct {
	Clusters scenarios.Counts `key:"clusters" default:"1" doc:"How many clusters, such as 2 or 1..4."`
}

func init() {
	register(kind[newClusters]{
		name:       "new-clusters",
		doc:        "Drummer is asked to create clusters, which no client uses, and to delete them when the fault ends.",
		colour:     "#3f9a8a",
		effect:     "requests_accepted",
		class:      scenarios.OfFleet,
		needs:      scenarios.CanOperate,
		untargeted: true,
		validate: func(s *scenarios.Scenario, _ *scenarios.Fault, _ newClusters, report func(key, format string, args ...any)) {
			needsDrummer(s, "new-clusters", report)
		},
		begin: func(i *injection, p newClusters) error {
			i.operate("create", func(ctx context.Context, o Operator) (err error) {
				i.chosen, err = o.Create(ctx, p.Clusters.Min)
				return err
			})
			return nil
		},
		end: func(i *injection, _ newClusters) error {
			i.operate("delete", func(ctx context.Context, o Operator) error { return o.Delete(ctx, i.chosen...) })
			return nil
		},
	})
}

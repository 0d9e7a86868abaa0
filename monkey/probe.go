// SPDX-License-Identifier: Apache-2.0

package monkey

import (
	"context"

	"github.com/drumbeat-raft/drumbeat/checker/invariant"
)

// probe asks every cluster for a write, and for the keys that clients used. All
// of it goes into the history: what was acknowledged and is gone cannot be
// linearized. The error is of the harness.
func (r *runner) probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	answers, err := r.clients.Answers(ctx)
	r.outcome.Facts.Probes = []invariant.Probe{}
	for _, a := range answers {
		for kind, ok := range map[string]bool{"write": a.Wrote, "read": a.Read} {
			p := invariant.Probe{Cluster: a.Cluster, Kind: kind, OK: ok, Took: int64(a.Took)}
			if !ok {
				p.Error = "no success within " + probeLimit.String()
			}
			r.outcome.Facts.Probes = append(r.outcome.Facts.Probes, p)
		}
	}
	return err
}

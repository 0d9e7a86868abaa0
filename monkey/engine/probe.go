// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"errors"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/invariant"
)

// readBackLimit is how long reading all keys may take that were written.
const readBackLimit = 10 * time.Minute

// probe asks every cluster for a write, and for the keys that clients used. All
// of it goes into the history: what was acknowledged and is gone cannot be
// linearized. The error is of the harness.
func (r *runner) probe(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	clusters := r.wanted.clusters()
	answers, err := r.clients.Answers(limited, clusters)
	r.outcome.Facts.Probes = []invariant.Probe{}
	var answering []uint64
	for _, a := range answers {
		for kind, ok := range map[string]bool{"write": a.Wrote, "read": a.Read} {
			p := invariant.Probe{Cluster: a.Cluster, Kind: kind, OK: ok, Took: int64(a.Took)}
			if !ok {
				p.Error = "no success within " + probeLimit.String()
			}
			r.outcome.Facts.Probes = append(r.outcome.Facts.Probes, p)
		}
		if a.Read {
			answering = append(answering, a.Cluster)
		}
	}
	limited, cancel = context.WithTimeout(ctx, readBackLimit)
	defer cancel()
	return errors.Join(err, r.clients.ReadBack(limited, answering))
}

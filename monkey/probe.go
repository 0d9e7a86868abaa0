// SPDX-License-Identifier: Apache-2.0

package monkey

import (
	"context"
	"fmt"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/invariant"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
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
	for _, id := range r.wanted.clusters() {
		if id > uint64(r.scenario.Clusters.Count) {
			r.probeCreated(ctx, id)
		}
	}
	return err
}

// probeCreated asks a cluster that the operator had created, which clients do
// not use, for a write and a read.
func (r *runner) probeCreated(ctx context.Context, id uint64) {
	began := time.Now()
	key := fmt.Sprintf("%d/probe", id)
	write := kv.Command{Op: kv.Put, Key: key, Value: kv.Some("probe"), Writer: "probe"}
	var errs [2]error
	r.wait(ctx, func() bool {
		_, errs[0] = r.drummer.Propose(ctx, id, write.Encode())
		_, errs[1] = r.drummer.Read(ctx, id, kv.GetQuery(key))
		return errs[0] == nil && errs[1] == nil
	})
	for i, kind := range []string{"write", "read"} {
		p := invariant.Probe{Cluster: id, Kind: kind, OK: errs[i] == nil, Took: int64(time.Since(began))}
		if errs[i] != nil {
			p.Error = errs[i].Error()
		}
		r.outcome.Facts.Probes = append(r.outcome.Facts.Probes, p)
	}
}

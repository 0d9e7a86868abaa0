// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/invariant"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
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
	err = errors.Join(err, r.probeMembers(ctx, answering))
	r.outcome.Facts.Members = r.memberStates(ctx, r.outcome.Facts.Probes)
	limited, cancel = context.WithTimeout(ctx, readBackLimit)
	defer cancel()
	return errors.Join(err, r.clients.ReadBack(limited, answering))
}

// probeMembers asks each member of the clusters for a read.
func (r *runner) probeMembers(ctx context.Context, clusters []uint64) error {
	limited, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	answers, err := r.clients.AskMembers(limited, clusters)
	for _, a := range answers {
		for _, host := range a.Silent {
			r.outcome.Facts.Probes = append(r.outcome.Facts.Probes, invariant.Probe{Cluster: a.Cluster, Kind: "read", Host: host, Took: int64(a.Took),
				Error: "no success within " + probeLimit.String()})
		}
		r.outcome.Facts.ReadMembers += a.Answered
	}
	return err
}

// memberStates looks into the members of the clusters that did not answer.
func (r *runner) memberStates(ctx context.Context, probes []invariant.Probe) []invariant.MemberState {
	silent := map[uint64]bool{}
	for _, p := range probes {
		silent[p.Cluster] = silent[p.Cluster] || !p.OK
	}
	var states []invariant.MemberState
	tr := r.observer.poll(ctx)
	for _, id := range slices.Sorted(maps.Keys(tr.clusters)) {
		if !silent[id] {
			continue
		}
		c := tr.clusters[id]
		members := maps.Clone(c.voters)
		for node, host := range c.running {
			members[node] = r.host(host).RaftAddress
		}
		for _, node := range slices.Sorted(maps.Keys(members)) {
			states = append(states, r.memberState(id, node, world.HostOf(members[node])))
		}
	}
	return states
}

// memberState looks into a Raft node.
func (r *runner) memberState(cluster, node uint64, host string) invariant.MemberState {
	state := invariant.MemberState{Cluster: cluster, Node: node, Host: host}
	nodes, err := r.w.RaftNodes(host)
	if err != nil {
		return state
	}
	for _, n := range nodes {
		if n.ClusterID == cluster && n.NodeID == node {
			state.Running, state.Role, state.Term, state.Leader = true, n.Role, n.Term, n.LeaderID
			state.LastIndex, state.Commit, state.Applied = n.LastIndex, n.Committed, n.Applied
		}
	}
	return state
}

// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// targets names a step's targets: hosts drawn by the plan, or those that play a
// part now.
func (in *Injector) targets(p pending) (hosts []string, why string) {
	s := p.step
	switch t := s.Fault.Target; {
	case t.IsZero(): // of a kind that has none
		return nil, ""
	case t.Class == scenarios.There:
		return []string{p.moment.Host}, ""
	case t.Class == scenarios.DrummerLeader:
		if h, ok := in.world.DrummerLeader(); ok {
			return []string{h}, ""
		}
		return nil, "no Drummer server leads"
	case t.Class == scenarios.DrummerFollower:
		return in.drummerFollower(s)
	case t.Class == scenarios.Joining:
		if h, ok := in.world.JoiningHost(); ok {
			return []string{h}, ""
		}
		return nil, "no new member is catching up"
	case t.OfCluster():
		return in.clusterTargets(s, p.cluster())
	}
	if s.Present {
		return in.present(s)
	}
	if len(s.Hosts) == 0 {
		return nil, "every possible target is permanently dead"
	}
	return s.Hosts, ""
}

// cluster is the Raft cluster of a step whose target is by its part in one.
func (p pending) cluster() uint64 {
	if p.step.Cluster == 0 {
		return p.moment.Cluster
	}
	return p.step.Cluster
}

// present lists those hosts of a step that are there: they run or, for a fault that
// keeps hosts down, another one keeps them down already.
func (in *Injector) present(s Step) (hosts []string, why string) {
	for _, h := range s.Hosts {
		if !in.dead[h] && (in.world.Running(h) || behaviours[s.Fault.Kind].Down) {
			hosts = append(hosts, h)
		}
	}
	if !slices.ContainsFunc(hosts, in.world.Running) {
		return nil, fmt.Sprintf("none of %s runs", s.Fault.Target)
	}
	return hosts, ""
}

func (in *Injector) drummerFollower(s Step) (hosts []string, why string) {
	leader, ok := in.world.DrummerLeader()
	if !ok {
		return nil, "no Drummer server leads"
	}
	var followers []string
	for _, h := range in.world.Hosts() {
		if h.Role == world.Drummer && h.Name != leader && in.world.Running(h.Name) {
			followers = append(followers, h.Name)
		}
	}
	if len(followers) == 0 {
		return nil, "no Drummer server follows"
	}
	return []string{followers[s.random().IntN(len(followers))]}, ""
}

// random draws who plays a part.
func (s Step) random() *rand.Rand { return rand.New(rand.NewPCG(s.Seed, 2)) }

// clusterTargets are the hosts that play the target's part in a cluster.
func (in *Injector) clusterTargets(s Step, cluster uint64) (hosts []string, why string) {
	t := s.Fault.Target
	leader, led := in.world.ClusterLeader(cluster)
	if t.Class == scenarios.ClusterLeader {
		if !led {
			return nil, fmt.Sprintf("cluster %d has no leader", cluster)
		}
		return []string{leader}, ""
	}
	voters, running := in.members(cluster)
	if t.Class == scenarios.ClusterFollower {
		running = slices.DeleteFunc(running, func(h string) bool { return h == leader })
		voters = running
	}
	if !led && t.Class == scenarios.ClusterFollower || len(running) == 0 {
		return nil, fmt.Sprintf("cluster %d has no %s that runs", cluster, t.Class)
	}
	rng := s.random()
	n := t.Amount.Number(len(voters), rng.Uint64())
	if t.Amount.Word == scenarios.All {
		n = len(running)
	}
	if n > len(running) {
		return nil, fmt.Sprintf("%d of the %d members of cluster %d run, and %d are wanted", len(running), len(voters), cluster, n)
	}
	rng.Shuffle(len(running), func(i, j int) { running[i], running[j] = running[j], running[i] })
	hosts = running[:n]
	slices.Sort(hosts)
	return hosts, ""
}

// members lists the hosts of a cluster's voters by the newest membership that a
// node of it knows, and those on which one runs; both in order.
func (in *Injector) members(cluster uint64) (voters, running []string) {
	var newest world.Node
	for _, h := range in.world.Hosts() {
		if h.Role != world.NodeHost || !in.world.Running(h.Name) {
			continue
		}
		seen, err := in.world.Inspect(context.Background(), h.Name)
		if err != nil { // it ended just now
			continue
		}
		for _, n := range seen.Nodes {
			if n.ClusterID != cluster {
				continue
			}
			running = append(running, h.Name)
			if n.Ready && n.ConfigID >= newest.ConfigID {
				newest = n
			}
		}
	}
	for _, address := range slices.Sorted(maps.Values(newest.Voters)) {
		voters = append(voters, world.HostOf(address))
	}
	return voters, slices.DeleteFunc(running, func(h string) bool { return !slices.Contains(voters, h) })
}

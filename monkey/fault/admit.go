// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// admit finds the hosts of a step, which strikes at one instant with others. They
// may be struck: they run and, unless the scenario says otherwise, no quorum
// depends on them. Otherwise why says what is missing.
func (in *Injector) admit(p pending, others []*active) (a *active, why string) {
	s := p.step
	kind, ok := behaviours[s.Fault.Kind]
	if !ok {
		return nil, fmt.Sprintf("there is no kind of fault %q", s.Fault.Kind)
	}
	targets, why := in.targets(s)
	if why != "" {
		return nil, why
	}
	i := &injection{id: s.ID, fault: s.Fault, hosts: targets, world: in.world, links: in.links, rng: rand.New(rand.NewPCG(s.Seed, 0))}
	i.hosts = kind.hosts(i)
	if len(i.hosts) == 0 {
		return nil, "none of the hosts that it strikes runs"
	}
	for _, h := range targets {
		switch {
		case !slices.Contains(i.hosts, h): // the kind has others
		case !in.world.Running(h):
			return nil, fmt.Sprintf("host %s does not run", h)
		case slices.ContainsFunc(others, func(o *active) bool { return o.kind.Down && slices.Contains(o.hosts, h) }):
			return nil, fmt.Sprintf("host %s goes down at the same instant", h)
		}
	}
	if !s.Fault.LoseQuorum && !kind.sparesPeers(s.Fault) && !in.safe(i.hosts, in.unreachable(others), s.Fault.Forever || kind.LosesDisk) {
		return nil, fmt.Sprintf("losing %v would cost a cluster its quorum", i.hosts)
	}
	return &active{injection: i, kind: kind, plan: p}, ""
}

// unreachable lists the hosts that run, but that peers can't count on: a fault
// that goes on cuts them off, or one that is about to begin takes them away.
func (in *Injector) unreachable(beginning []*active) []string {
	var hosts []string
	for _, a := range slices.Concat(in.active, beginning) {
		if a.kind.Down || a.kind.Needs == scenarios.CanCut && !a.kind.sparesPeers(a.fault) {
			hosts = append(hosts, a.hosts...)
		}
	}
	return hosts
}

// targets names a step's targets: hosts drawn by the plan, or those that play a
// part now.
func (in *Injector) targets(s Step) (hosts []string, why string) {
	switch s.Fault.Target.Class {
	case scenarios.DrummerLeader:
		if h, ok := in.world.DrummerLeader(); ok {
			return []string{h}, ""
		}
		return nil, "no Drummer server leads"
	case scenarios.ClusterLeader:
		if h, ok := in.world.ClusterLeader(s.Cluster); ok {
			return []string{h}, ""
		}
		return nil, fmt.Sprintf("cluster %d has no leader", s.Cluster)
	case scenarios.Joining:
		if h, ok := in.world.JoiningHost(); ok {
			return []string{h}, ""
		}
		return nil, "no new member is catching up"
	}
	if len(s.Hosts) == 0 {
		return nil, "every possible target is permanently dead"
	}
	return s.Hosts, ""
}

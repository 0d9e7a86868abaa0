// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"fmt"
	"math/rand/v2"
	"slices"
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
	if why := in.mayGoOnBeside(s, others); why != "" {
		return nil, why
	}
	targets, why := in.targets(p)
	if why != "" {
		return nil, why
	}
	f := *s.Fault
	f.Parameters = s.Parameters
	i := &injection{id: s.ID, fault: &f, targets: targets, hosts: targets, cluster: p.cluster(), world: in.world, log: in.log, links: in.links, operations: &in.operations, asked: asked{over: make(chan struct{})}, gone: in.dead, rng: rand.New(rand.NewPCG(s.Seed, 0))}
	i.hosts = kind.hosts(i)
	if len(i.hosts) == 0 && !kind.Untargeted {
		return nil, "none of the hosts that it strikes runs"
	}
	for _, h := range targets {
		switch {
		case !slices.Contains(i.hosts, h): // the kind has others
		case kind.boots && in.world.Running(h):
			return nil, fmt.Sprintf("host %s is there already", h)
		case kind.boots:
		case !in.world.Running(h) && !(s.Present && kind.Down):
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
		if a.kind.Down || a.kind.cutsOff && !a.kind.sparesPeers(a.fault) {
			hosts = append(hosts, a.hosts...)
		}
	}
	return hosts
}

// mayGoOnBeside says why a step may not go on beside others; empty if it may.
func (in *Injector) mayGoOnBeside(s Step, others []*active) string {
	strange := func(a *active) bool { return a.plan.step.Alone == 0 || a.plan.step.Alone != s.Alone }
	switch {
	case in.alone != 0 && in.alone != s.Alone:
		return "a fault that is exclusive goes on"
	case s.Alone != 0 && (slices.ContainsFunc(in.active, strange) || slices.ContainsFunc(others, strange)):
		return "it is exclusive, and other faults go on"
	case s.Alone == 0 && slices.ContainsFunc(others, func(a *active) bool { return a.plan.step.Alone != 0 }):
		return "a fault that is exclusive begins"
	}
	return ""
}

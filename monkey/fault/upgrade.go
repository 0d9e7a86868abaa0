// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"cmp"
	"slices"

	"github.com/drumbeat-raft/drumbeat/scenarios"
)

type upgrade struct {
	Version int `key:"version" optional:"true" min:"1" max:"2" doc:"The version that the host has from then on. Absent: of the two the one that it does not have."`
}

func init() {
	register(kind[upgrade]{
		name:   "upgrade",
		doc:    "The host's processes are stopped in good order, and start again with another version of the state machine when the fault ends. The host keeps that version at all later starts, whatever ends its processes, until the next upgrade. A host that has the version already starts again with it. To roll an upgrade out host by host, its target is each nodehost.",
		class:  scenarios.OfFleet,
		colour: "#3f8f6b",
		effect: "hosts_upgraded processes_ended",
		needs:  scenarios.CanUpgrade,
		down:   true,
		swarm:  swarm[upgrade]{targets: []string{"nodehost", "each nodehost", "cluster-leader"}, lasts: "2s..30s"}, // to the other version each time
		validate: func(_ *scenarios.Scenario, f *scenarios.Fault, _ upgrade, report func(key, format string, args ...any)) {
			if f.Target.OfDrummers() || f.Target.Class == scenarios.AnyHost {
				report("target", "found %s, expected a NodeHost: a Drummer server runs no state machine of the application", f.Target)
			}
		},
		hosts: func(i *injection, _ upgrade) []string { return i.nodeHosts() },
		begin: func(i *injection, p upgrade) error {
			if err := i.endProcesses(i.world.Shutdown); err != nil {
				return err
			}
			return i.setVersion(p.Version)
		},
	})
}

// nodeHosts lists the targets of the injection that are hosts of NodeHosts: a moment
// may come on another one.
func (i *injection) nodeHosts() []string {
	var hosts []string
	for _, h := range i.world.Hosts() {
		if isNodeHost(h) && slices.Contains(i.targets, h.Name) {
			hosts = append(hosts, h.Name)
		}
	}
	return hosts
}

// setVersion gives the injection's hosts a version; 0: the other one.
func (i *injection) setVersion(version int) error {
	for _, h := range i.hosts {
		changed, err := i.world.SetVersion(h, cmp.Or(version, 3-i.world.Version(h)))
		if err != nil {
			return err
		}
		if changed {
			i.effect.HostsUpgraded++
		}
	}
	return nil
}

// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"slices"

	"github.com/drumbeat-raft/drumbeat/scenarios"
)

func init() {
	register(kind[none]{
		name:        scenarios.Join,
		doc:         "The host joins the fleet: it is started for the first time, and Drummer may place members on it. Until then it is not there. It is named, and joins once.",
		colour:      "#2f8f5f",
		effect:      "hosts_joined",
		class:       scenarios.OfFleet,
		needs:       scenarios.CanOperate,
		instant:     true,
		boots:       true,
		sparesPeers: func(none) bool { return true },
		validate: func(s *scenarios.Scenario, f *scenarios.Fault, _ none, report func(key, format string, args ...any)) {
			needsDrummer(s, scenarios.Join, report)
			needsNodeHost(f, report)
			later := s.JoinLater()
			if hosts := f.Target.Hosts(); len(hosts) == 0 || !isSubset(hosts, later) {
				report("target", "found %s, expected NodeHosts by their names", f.Target)
			} else if there := s.Deployment.NodeHosts - len(later); there < s.Clusters.Size {
				report("target", "found %s, which leaves %d NodeHosts at the start, expected at least %d, the size of clusters", f.Target, there, s.Clusters.Size)
			}
		},
		begin: func(i *injection, _ none) error {
			for _, h := range i.hosts {
				if bootHost(i.world, i.log, h) {
					i.effect.HostsJoined++
				}
			}
			return nil
		},
	})
}

func isSubset(some, all []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(all, s) })
}

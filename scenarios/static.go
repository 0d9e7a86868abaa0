// SPDX-License-Identifier: Apache-2.0

package scenarios

import "fmt"

// validateStatic checks what a deployment without a Master is asked for, and what
// only such a one can be.
func (s *Scenario) validateStatic(p *problems) {
	if !p.read("deployment.drummers") {
		return
	}
	c := &s.Clusters
	if s.Deployment.Drummers > 0 {
		for _, x := range []struct {
			key, found string
			wrong      bool
		}{
			{"observers", fmt.Sprint(c.Observers), c.Observers > 0},
			{"witnesses", fmt.Sprint(c.Witnesses), c.Witnesses > 0},
			{"ordered_config_change", fmt.Sprint(c.OrderedConfigChange), !c.OrderedConfigChange},
			{"auto_compaction", fmt.Sprint(c.AutoCompaction), !c.AutoCompaction},
		} {
			if path := "clusters." + x.key; x.wrong && p.read(path) {
				p.add(path, "found %s with %d Drummers, expected it with deployment.drummers: 0 only", x.found, s.Deployment.Drummers)
			}
		}
		return
	}
	if all := c.Size + c.Observers + c.Witnesses; p.read("clusters", "deployment.nodehosts") && all > s.Deployment.NodeHosts {
		p.add("clusters.size", "found %d members a cluster, observers and witnesses included, expected at most %d: one for each NodeHost", all, s.Deployment.NodeHosts)
	}
	if len(c.Regions) > 0 && p.read("clusters.regions") {
		p.add("clusters.regions", "found it without Drummers, expected none: nobody places members")
	}
	if c.SpreadOver != "nothing" && p.read("clusters.spread_over") {
		p.add("clusters.spread_over", "found %s without Drummers, expected nothing: nobody places members", c.SpreadOver)
	}
	if len(c.RequiredLabels) > 0 && p.read("clusters.required_labels") {
		p.add("clusters.required_labels", "found them without Drummers, expected none: nobody places members")
	}
	if len(s.Actions) > 0 && p.read("actions") {
		p.add("actions", "found them without Drummers, expected none: nobody is there to be asked")
	}
	for _, l := range s.Leaves() {
		s.validateStaticFault(p, l.Fault, l.Path)
	}
}

// validateStaticFault refuses faults of Drummer, and those that cost members for
// good: nobody replaces them.
func (s *Scenario) validateStaticFault(p *problems, f *Fault, path string) {
	if !p.read(path+".target", path+".kind", path+".forever") {
		return
	}
	kind, _ := FaultKindOf(f.Kind)
	switch {
	case f.Target.OfDrummers() || f.Target.Class == Joining:
		p.add(path+".target", "found %s without Drummers, expected NodeHosts", f.Target)
	case f.Forever:
		p.add(path+".forever", "found it without Drummers, expected for: nobody replaces the dead")
	case kind.LosesDisk:
		p.add(path+".kind", "found %s without Drummers, expected a kind that keeps the disk: nobody replaces what was on it", f.Kind)
	}
}

// SPDX-License-Identifier: Apache-2.0

package scenarios

import (
	"fmt"
	"slices"
)

// Label is a name that several NodeHosts have in common, for targets.
type Label struct {
	Name  string   `key:"name" required:"true" doc:"The label: letters, digits and dashes."`
	Hosts []Target `key:"hosts" required:"true" doc:"The NodeHosts that bear it, by name."`
}

// Region returns the region of NodeHost number host, counted from 1; empty when
// there are no regions.
func (d *Deployment) Region(host int) string {
	if len(d.Regions) == 0 {
		return ""
	}
	return d.Regions[(host-1)%len(d.Regions)]
}

// Rack returns the rack of NodeHost number host, counted from 1; empty when there
// are no racks. The hosts of a region are dealt out to its racks in turn.
func (d *Deployment) Rack(host int) string {
	if d.Racks == 0 {
		return ""
	}
	regions := max(1, len(d.Regions))
	name := fmt.Sprintf("rack-%d", (host-1)/regions%d.Racks+1)
	if region := d.Region(host); region != "" {
		name = region + "-" + name
	}
	return name
}

// Labels lists the labels of NodeHost number host.
func (d *Deployment) LabelsOf(host int) []string {
	var names []string
	for _, l := range d.Labels {
		if slices.Contains(l.Hosts, Target{Class: AnyNodeHost, Number: host}) {
			names = append(names, l.Name)
		}
	}
	return names
}

// In reports whether NodeHost number host is in the region, the rack or under the
// label of that name.
func (d *Deployment) In(host int, place string) bool {
	return place == d.Region(host) || place == d.Rack(host) || slices.Contains(d.LabelsOf(host), place)
}

// Places lists the names of all regions, racks and labels that have hosts, each
// once, in order of the hosts.
func (d *Deployment) Places() (regions, racks, labels []string) {
	for host := 1; host <= d.NodeHosts; host++ {
		regions, racks, labels = append(regions, d.Region(host)), append(racks, d.Rack(host)), append(labels, d.LabelsOf(host)...)
	}
	return names(regions), names(racks), names(labels)
}

// names returns the names in order, each once, without the empty one.
func names(all []string) []string {
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(name string) bool { return name == "" })
}

// hostsAt counts the NodeHosts in a place.
func (d *Deployment) hostsAt(place string) int {
	n := 0
	for host := 1; host <= d.NodeHosts; host++ {
		if d.In(host, place) {
			n++
		}
	}
	return n
}

// validatePlaces checks racks and labels.
func (s *Scenario) validatePlaces(p *problems) {
	d := &s.Deployment
	if p.read("deployment.racks", "deployment.regions", "deployment.nodehosts") && d.Racks*max(1, len(d.Regions)) > d.NodeHosts {
		p.add("deployment.racks", "found %d, expected at most one rack for each of the %d NodeHosts", d.Racks*max(1, len(d.Regions)), d.NodeHosts)
	}
	for i, l := range d.Labels {
		path := fmt.Sprintf("deployment.labels[%d]", i)
		if !p.read(path, "deployment.regions", "deployment.racks", "deployment.nodehosts") {
			continue
		}
		regions, racks, _ := d.Places()
		switch same := func(o Label) bool { return o.Name == l.Name }; {
		case !namePattern.MatchString(l.Name) || l.Name == AnyRegion || l.Name == AnyRack:
			p.add(path+".name", "found %q, expected letters, digits and single dashes", shorten(l.Name))
		case slices.Contains(regions, l.Name) || slices.Contains(racks, l.Name) || slices.IndexFunc(d.Labels, same) != i:
			p.add(path+".name", "found %q a second time, expected a name that no region, rack or other label has", l.Name)
		}
		for j, h := range l.Hosts {
			if h.Class != AnyNodeHost || h.Number == 0 || h.Number > d.NodeHosts {
				p.add(fmt.Sprintf("%s.hosts[%d]", path, j), "found %s, expected one of nodehost-1 to nodehost-%d", h, d.NodeHosts)
			}
		}
	}
}

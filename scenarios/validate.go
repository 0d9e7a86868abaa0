// SPDX-License-Identifier: Apache-2.0

package scenarios

import (
	"fmt"
	"regexp"
	"slices"
)

var namePattern = regexp.MustCompile(`^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$`)

// validate finds what no single field can tell: counts that cannot be, targets
// that do not exist, times out of order. A rule that depends on a field which
// could not be read is left out, and only that.
func (s *Scenario) validate(p *problems) {
	if p.read("name") && (!namePattern.MatchString(s.Name) || len(s.Name) > 64) {
		p.add("name", "found %q, expected at most 64 letters, digits and single dashes", shorten(s.Name))
	}
	s.validateDeployment(p)
	s.validateClusters(p)
	s.validateWorkload(p)
	s.validatePhases(p)
	for _, e := range s.Entries() {
		s.validateEntry(p, e)
	}
	s.validateDeaths(p)
	s.validateStatic(p)
	s.validateActions(p)
	s.validateExpectations(p)
	s.validateExplore(p)
}

func (s *Scenario) validateExpectations(p *problems) {
	for _, e := range s.Expect {
		m := measures.byName[e.Measure]
		if m.Validate == nil || !p.read("expect", "checks") {
			continue
		}
		if wrong := m.Validate(s, e); wrong != "" {
			p.add("expect."+e.Measure, "%s", wrong)
		}
	}
}

func (s *Scenario) validateDeployment(p *problems) {
	if d := s.Deployment.Drummers; p.read("deployment.drummers") && d > 0 && d%2 == 0 {
		p.add("deployment.drummers", "found %d, expected an odd number: an even one survives no more deaths", s.Deployment.Drummers)
	}
	s.validateRegionNames(p)
	s.validatePlaces(p)
	s.validateNetwork(p)
	if p.read("drummer.time_to_live", "drummer.heartbeat") && s.Drummer.TimeToLive < 2*s.Drummer.Heartbeat {
		p.add("drummer.time_to_live", "found %s, expected at least two heartbeats of %s", s.Drummer.TimeToLive, s.Drummer.Heartbeat)
	}
}

func (s *Scenario) validateRegionNames(p *problems) {
	regions := s.Deployment.Regions
	if p.read("deployment.regions", "deployment.nodehosts") && len(regions) > s.Deployment.NodeHosts {
		p.add("deployment.regions", "found %d regions, expected at most one for each of the %d NodeHosts", len(regions), s.Deployment.NodeHosts)
	}
	for i, region := range regions {
		path := fmt.Sprintf("deployment.regions[%d]", i)
		if !p.read(path) {
			continue
		}
		if !namePattern.MatchString(region) {
			p.add(path, "found %q, expected letters, digits and single dashes", shorten(region))
		}
		if slices.Index(regions, region) != i {
			p.add(path, "found %q a second time, expected each region once", region)
		}
	}
}

// validateNetwork checks the pairs of regions, and that followers can hear of
// their leader in time.
func (s *Scenario) validateNetwork(p *problems) {
	network := s.Deployment.Network
	given := map[[2]string]bool{}
	for i, pair := range network.Between {
		path := fmt.Sprintf("deployment.network.between[%d].regions", i)
		if !p.read(path, "deployment.regions") {
			continue
		}
		if len(pair.Regions) != 2 {
			p.add(path, "found %d regions, expected two", len(pair.Regions))
			continue
		}
		for _, region := range pair.Regions {
			if !slices.Contains(s.Deployment.Regions, region) {
				p.add(path, "found the region %q, expected one of deployment.regions%s", region, didYouMean(region, s.Deployment.Regions))
			}
		}
		ends := [2]string{min(pair.Regions[0], pair.Regions[1]), max(pair.Regions[0], pair.Regions[1])}
		if given[ends] {
			p.add(path, "found %s and %s a second time, expected each pair once", ends[0], ends[1])
		}
		given[ends] = true
	}
	if !p.read("deployment.network", "deployment.rtt", "clusters.election_rtt") {
		return
	}
	longest, path := network.Latency, "deployment.network.latency"
	for i, pair := range network.Between {
		if pair.Latency.P99 > longest.P99 {
			longest, path = pair.Latency, fmt.Sprintf("deployment.network.between[%d].latency", i)
		}
	}
	if timeout := Duration(s.Clusters.ElectionRTT) * s.Deployment.RTT; longest.P99 > 0 && 4*longest.P99 > timeout {
		p.add(path, "found a p99 of %s, expected at most a quarter of the election timeout, which is %s: followers would stand for election without a fault",
			longest.P99, timeout)
	}
}

func (s *Scenario) validateClusters(p *problems) {
	clusters := s.Clusters
	if p.read("clusters.size", "deployment.nodehosts") && clusters.Size > s.Deployment.NodeHosts {
		p.add("clusters.size", "found %d members a cluster, expected at most %d: one for each NodeHost", clusters.Size, s.Deployment.NodeHosts)
	}
	if p.read("clusters.election_rtt", "clusters.heartbeat_rtt") && clusters.ElectionRTT <= 2*clusters.HeartbeatRTT {
		p.add("clusters.election_rtt", "found %d, expected more than twice heartbeat_rtt (%d)", clusters.ElectionRTT, clusters.HeartbeatRTT)
	}
	if size := clusters.MaxInMemLogSize; p.read("clusters.max_in_mem_log_size") && size > 0 && size < minInMemLogSize {
		p.add("clusters.max_in_mem_log_size", "found %d bytes, expected 0, which is no limit, or at least %d", size, minInMemLogSize)
	}
	s.validateClusterRegions(p)
	s.validateClusterPlaces(p)
}

// minInMemLogSize, in bytes, is a little above the least that Dragonboat accepts.
const minInMemLogSize = 256

func (s *Scenario) validateClusterRegions(p *problems) {
	total := 0
	for _, region := range sortedKeys(s.Clusters.Regions) {
		members := s.Clusters.Regions[region]
		path := "clusters.regions." + region
		total += members
		if !p.read(path, "deployment.regions", "deployment.nodehosts") {
			continue
		}
		if hosts := s.Deployment.hostsAt(region); hosts == 0 {
			p.add(path, "found the region %q, expected one of deployment.regions%s", region, didYouMean(region, s.Deployment.Regions))
		} else if members > hosts {
			p.add(path, "found %d members, expected at most the %d NodeHosts of that region", members, hosts)
		}
	}
	if p.read("clusters.regions", "clusters.size") && total > s.Clusters.Size {
		p.add("clusters.regions", "found %d members in total, expected at most size (%d)", total, s.Clusters.Size)
	}
}

// validateClusterPlaces checks what clusters ask of their hosts besides regions.
func (s *Scenario) validateClusterPlaces(p *problems) {
	c, d := &s.Clusters, &s.Deployment
	if p.read("clusters.spread_over", "deployment.regions", "deployment.racks") {
		switch {
		case c.SpreadOver == SpreadOverRegions && len(d.Regions) == 0:
			p.add("clusters.spread_over", "found region without regions, expected it with deployment.regions")
		case c.SpreadOver == SpreadOverRacks && d.Racks == 0:
			p.add("clusters.spread_over", "found rack without racks, expected it with deployment.racks")
		}
	}
	if !p.read("clusters.required_labels", "clusters.size", "deployment.labels", "deployment.nodehosts") {
		return
	}
	_, _, known := d.Places()
	for i, name := range c.RequiredLabels {
		if !slices.Contains(known, name) {
			p.add(fmt.Sprintf("clusters.required_labels[%d]", i), "found the label %q, expected one of deployment.labels%s", name, didYouMean(name, known))
			return
		}
	}
	suitable := 0
	for host := 1; host <= d.NodeHosts; host++ {
		if c.Suits(d.LabelsOf(host)) {
			suitable++
		}
	}
	if suitable < c.Size {
		p.add("clusters.required_labels", "found %d NodeHosts with all of them, expected at least size (%d)", suitable, c.Size)
	}
}

// The failure domains that a scenario may spread members over.
const (
	SpreadOverRegions = "region"
	SpreadOverRacks   = "rack"
)

// Suits reports whether a host with some labels may have members.
func (c Clusters) Suits(labels []string) bool {
	return !slices.ContainsFunc(c.RequiredLabels, func(l string) bool { return !slices.Contains(labels, l) })
}

// Placed reports whether it matters where members live.
func (c Clusters) Placed() bool {
	return len(c.Regions) > 0 || c.SpreadOver == SpreadOverRegions || c.SpreadOver == SpreadOverRacks || len(c.RequiredLabels) > 0
}

// IDs returns the ClusterIDs of the clusters, in order.
func (c Clusters) IDs() []uint64 {
	ids := make([]uint64, c.Count)
	for i := range ids {
		ids[i] = uint64(c.First + i)
	}
	return ids
}

// Kind returns the kind of state machine of the cluster with that ClusterID,
// counted from 1: regular, concurrent or ondisk.
func (c Clusters) Kind(clusterID uint64) string {
	if c.StateMachine != "mixed" {
		return c.StateMachine
	}
	return []string{"regular", "concurrent", "ondisk"}[(clusterID-1)%3]
}

func (s *Scenario) validateWorkload(p *problems) {
	mix := s.Workload.Mix
	if p.read("workload.mix") && mix.Get+mix.Put+mix.CAS+mix.Append+mix.Delete == 0 {
		p.add("workload.mix", "found only zeros, expected at least one kind of operation with a weight")
	}
	if p.read("workload.burst.size", "workload.clients", "workload.open", "workload.operations") && len(s.Workload.Operations) == 0 && s.Workload.Burst.Size > s.Workload.Clients*s.Workload.Open {
		p.add("workload.burst.size", "found %d, expected at most as many operations as all clients can have open (%d)",
			s.Workload.Burst.Size, s.Workload.Clients*s.Workload.Open)
	}
	if p.read("workload.sessions", "clusters.statemachine") && s.Workload.Sessions == "registered" && s.Clusters.StateMachine == "ondisk" {
		p.add("workload.sessions", "found registered, expected noop: on-disk state machines have no registered sessions")
	}
	s.validateOperations(p)
}

// validateDeaths checks that enough hosts outlive all permanent deaths. A fault
// that could not be read counts as none.
func (s *Scenario) validateDeaths(p *problems) {
	var deadNodeHosts, deadDrummers int
	for _, l := range s.Leaves() {
		f, path := l.Fault, l.Path
		if !f.Forever || f.LoseQuorum || !p.read(path) {
			continue
		}
		deaths := l.starts() * s.most(f.Target)
		switch {
		case deaths == 0:
			p.add(path, "found permanent deaths without a limit, expected count, at or at_most")
		case f.Target.OfDrummers():
			if deadDrummers += deaths; p.read("deployment.drummers") && 2*deadDrummers >= s.Deployment.Drummers {
				p.add(path, "found %d of %d Drummers permanently dead, expected fewer than half", deadDrummers, s.Deployment.Drummers)
			}
		default:
			deadNodeHosts += deaths
			if p.read("deployment.nodehosts", "clusters.size") && s.Deployment.NodeHosts-deadNodeHosts < s.Clusters.Size {
				p.add(path, "found %d of %d NodeHosts permanently dead, expected at least %d left: one for each member of a cluster",
					deadNodeHosts, s.Deployment.NodeHosts, s.Clusters.Size)
			}
		}
	}
}

// CheckCapabilities returns Problems when the scenario asks for a fault that
// a world with those capabilities cannot do.
func (s *Scenario) CheckCapabilities(world string, has []Capability) error {
	p := &problems{where: s.where}
	for _, l := range s.Leaves() {
		f := l.Fault
		if l.Entry.Fault.When != "" && !slices.Contains(has, CanWatch) {
			p.add(l.Entry.Path+".when", "found %s, which world %s cannot tell, expected every, count or at", l.Entry.Fault.When, world)
		}
		kind, ok := FaultKindOf(f.Kind)
		if ok && !slices.Contains(has, kind.Needs) {
			p.add(l.Path+".kind", "found %s, which world %s cannot do, expected %s", f.Kind, world, possibleKinds(has))
		}
	}
	return p.err()
}

func possibleKinds(has []Capability) string {
	var names []string
	for _, kind := range FaultKinds() {
		if slices.Contains(has, kind.Needs) {
			names = append(names, kind.Name)
		}
	}
	if len(names) == 0 {
		return "no faults"
	}
	return oneOf(names)
}

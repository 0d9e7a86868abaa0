// SPDX-License-Identifier: Apache-2.0

package scenarios

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
)

var namePattern = regexp.MustCompile(`^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$`)

// validate finds what no single field can tell: counts that cannot be, targets
// that do not exist, parameters that do not belong to a fault's kind.
func (s *Scenario) validate(p *problems) {
	if !namePattern.MatchString(s.Name) || len(s.Name) > 64 {
		p.add("name", "found %q, expected at most 64 letters, digits and single dashes", shorten(s.Name))
	}
	s.validateDeployment(p)
	s.validateClusters(p)
	s.validateWorkload(p)
	for i := range s.Faults {
		s.validateFault(p, &s.Faults[i], fmt.Sprintf("faults[%d]", i))
	}
	s.validateDeaths(p)
	s.validateActions(p)
}

func (s *Scenario) validateDeployment(p *problems) {
	if s.Deployment.Drummers%2 == 0 {
		p.add("deployment.drummers", "found %d, expected an odd number: an even one survives no more deaths", s.Deployment.Drummers)
	}
	s.validateRegionNames(p)
	if s.Drummer.TimeToLive < 2*s.Drummer.Heartbeat {
		p.add("drummer.time_to_live", "found %s, expected at least two heartbeats of %s", s.Drummer.TimeToLive, s.Drummer.Heartbeat)
	}
}

func (s *Scenario) validateRegionNames(p *problems) {
	regions := s.Deployment.Regions
	if len(regions) > s.Deployment.NodeHosts {
		p.add("deployment.regions", "found %d regions, expected at most one for each of the %d NodeHosts", len(regions), s.Deployment.NodeHosts)
	}
	for i, region := range regions {
		path := fmt.Sprintf("deployment.regions[%d]", i)
		if !namePattern.MatchString(region) {
			p.add(path, "found %q, expected letters, digits and single dashes", shorten(region))
		}
		if slices.Index(regions, region) != i {
			p.add(path, "found %q a second time, expected each region once", region)
		}
	}
}

func (s *Scenario) validateClusters(p *problems) {
	clusters := s.Clusters
	if clusters.Size > s.Deployment.NodeHosts {
		p.add("clusters.size", "found %d members a cluster, expected at most %d: one for each NodeHost", clusters.Size, s.Deployment.NodeHosts)
	}
	if clusters.ElectionRTT <= 2*clusters.HeartbeatRTT {
		p.add("clusters.election_rtt", "found %d, expected more than twice heartbeat_rtt (%d)", clusters.ElectionRTT, clusters.HeartbeatRTT)
	}
	total := 0
	for _, region := range sortedKeys(clusters.Regions) {
		members := clusters.Regions[region]
		path := "clusters.regions." + region
		total += members
		hosts := s.hostsIn(region)
		if hosts == 0 {
			p.add(path, "found the region %q, expected one of deployment.regions%s", region, didYouMean(region, s.Deployment.Regions))
		} else if members > hosts {
			p.add(path, "found %d members, expected at most the %d NodeHosts of that region", members, hosts)
		}
	}
	if total > clusters.Size {
		p.add("clusters.regions", "found %d members in total, expected at most size (%d)", total, clusters.Size)
	}
}

// hostsIn counts the NodeHosts of a region.
func (s *Scenario) hostsIn(region string) int {
	count := 0
	for host := 1; host <= s.Deployment.NodeHosts; host++ {
		if s.RegionOf(host) == region {
			count++
		}
	}
	return count
}

// RegionOf returns the region of NodeHost number host, counted from 1; empty
// when the scenario has no regions.
func (s *Scenario) RegionOf(host int) string {
	if len(s.Deployment.Regions) == 0 {
		return ""
	}
	return s.Deployment.Regions[(host-1)%len(s.Deployment.Regions)]
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
	if mix.Get+mix.Put+mix.CAS+mix.Append+mix.Delete == 0 {
		p.add("workload.mix", "found only zeros, expected at least one kind of operation with a weight")
	}
	if s.Workload.Sessions == "registered" && s.Clusters.StateMachine == "ondisk" {
		p.add("workload.sessions", "found registered, expected noop: on-disk state machines have no registered sessions")
	}
}

func (s *Scenario) validateFault(p *problems, f *Fault, path string) {
	kind, ok := KindOf(f.Kind)
	if !ok {
		p.add(path+".kind", "found %q, expected %s%s", shorten(f.Kind), oneOf(kindNames()), didYouMean(f.Kind, kindNames()))
		return
	}
	s.validateParameters(p, f, kind, path)
	s.validateTarget(p, f, path)
	s.validateTimes(p, f, kind, path)
	validateLimits(p, f, path)
}

// ownParameters are the keys that belong to some kinds of fault only.
var ownParameters = func() []string {
	var keys []string
	for _, kind := range Kinds {
		keys = append(append(keys, kind.Required...), kind.Optional...)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}()

func (s *Scenario) validateParameters(p *problems, f *Fault, kind Kind, path string) {
	v := reflect.ValueOf(f).Elem()
	for _, field := range fieldsOf(v.Type()) {
		value := v.Field(field.index)
		_, given := s.where[path+"."+field.key]
		switch {
		case !slices.Contains(ownParameters, field.key):
		case given && !kind.takes(field.key):
			p.add(path+"."+field.key, "found it with kind %s, which takes %s", kind.Name, parameterList(kind))
		case !given && slices.Contains(kind.Required, field.key):
			p.add(path, "found no %q, expected one with kind %s: %s", field.key, kind.Name, field.doc)
		case !given && kind.Defaults[field.key] != "":
			mustParse(value, kind.Defaults[field.key])
		}
	}
}

func parameterList(kind Kind) string {
	own := slices.Concat(kind.Required, kind.Optional)
	if len(own) == 0 {
		return "no parameters of its own"
	}
	return "only " + oneOf(own)
}

func (s *Scenario) validateTarget(p *problems, f *Fault, path string) {
	count := s.Deployment.NodeHosts
	if f.Target.OfDrummers() {
		count = s.Deployment.Drummers
	}
	if f.Split == "drummers" && !f.Target.OfDrummers() {
		p.add(path+".target", "found %s, expected drummer: split drummers is about all of them", f.Target)
	}
	if f.Split == "peers" && f.Target.OfDrummers() {
		p.add(path+".target", "found %s, expected a NodeHost: split peers cuts one off from the others", f.Target)
	}
	if f.Target.Number > count {
		p.add(path+".target", "found %s, expected one of the %d: %s-1 to %s-%d", f.Target, count, f.Target.Class, f.Target.Class, count)
	}
}

func (s *Scenario) validateTimes(p *problems, f *Fault, kind Kind, path string) {
	ways := 0
	for _, given := range []bool{f.Every > 0, f.Count > 0, len(f.At) > 0} {
		if given {
			ways++
		}
	}
	if ways != 1 {
		p.add(path, "found %d of every, count and at, expected exactly one of them", ways)
	}
	switch {
	case f.Forever && !kind.Forever:
		p.add(path+".forever", "found it with kind %s, expected for: a %s must end", kind.Name, kind.Name)
	case f.Forever && !f.For.IsZero():
		p.add(path+".for", "found it together with forever, expected one of the two")
	case !f.Forever && f.For.IsZero():
		p.add(path, "found no \"for\", expected how long it lasts, such as 10s..40s")
	}
	s.validateWindow(p, f, path)
}

// validateWindow checks that all starts fall into the phase with faults.
func (s *Scenario) validateWindow(p *problems, f *Fault, path string) {
	from, to := s.Window(f)
	if from >= to {
		p.add(path+".after", "found %s, expected less than %s, when the last start may be", f.After, to)
	}
	for i, at := range f.At {
		if at < from || at > to {
			p.add(fmt.Sprintf("%s.at[%d]", path, i), "found %s, expected an offset from %s to %s", at, from, to)
		}
	}
}

// Window returns the offsets into the phase with faults between which f may
// start.
func (s *Scenario) Window(f *Fault) (from, to Duration) {
	if f.Before > 0 {
		return f.After, min(f.Before, s.Duration)
	}
	return f.After, s.Duration
}

func validateLimits(p *problems, f *Fault, path string) {
	most := f.AtMost
	if planned := f.Count + len(f.At); planned > 0 {
		if f.AtMost > 0 {
			p.add(path+".at_most", "found it without every, expected it only with every: the number is fixed")
		}
		most = planned
	}
	if most > 0 && f.AtLeast > most {
		p.add(path+".at_least", "found %d, expected at most the %d that may start", f.AtLeast, most)
	}
}

// validateDeaths checks that enough hosts outlive all permanent deaths.
func (s *Scenario) validateDeaths(p *problems) {
	var deadNodeHosts, deadDrummers int
	for i, f := range s.Faults {
		if !f.Forever || f.LoseQuorum {
			continue
		}
		path := fmt.Sprintf("faults[%d]", i)
		deaths := max(f.Count, len(f.At), f.AtMost)
		switch {
		case deaths == 0:
			p.add(path, "found permanent deaths without a limit, expected count, at or at_most")
		case f.Target.OfDrummers():
			if deadDrummers += deaths; 2*deadDrummers >= s.Deployment.Drummers {
				p.add(path, "found %d of %d Drummers dead for ever, expected fewer than half", deadDrummers, s.Deployment.Drummers)
			}
		default:
			if deadNodeHosts += deaths; s.Deployment.NodeHosts-deadNodeHosts < s.Clusters.Size {
				p.add(path, "found %d of %d NodeHosts dead for ever, expected at least %d left: one for each member of a cluster",
					deadNodeHosts, s.Deployment.NodeHosts, s.Clusters.Size)
			}
		}
	}
}

// CheckCapabilities returns Problems when the scenario asks for a fault that
// a world with those capabilities cannot do.
func (s *Scenario) CheckCapabilities(world string, has []Capability) error {
	p := &problems{where: s.where}
	for i, f := range s.Faults {
		kind, ok := KindOf(f.Kind)
		if ok && !slices.Contains(has, kind.Needs) {
			p.add(fmt.Sprintf("faults[%d].kind", i), "found %s, which world %s cannot do, expected %s", f.Kind, world, possibleKinds(has))
		}
	}
	return p.err()
}

func possibleKinds(has []Capability) string {
	var names []string
	for _, kind := range Kinds {
		if slices.Contains(has, kind.Needs) {
			names = append(names, kind.Name)
		}
	}
	if len(names) == 0 {
		return "no faults"
	}
	return oneOf(names)
}

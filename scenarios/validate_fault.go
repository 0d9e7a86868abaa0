// SPDX-License-Identifier: Apache-2.0

package scenarios

import (
	"fmt"
	"slices"
)

// validatePhases checks phases, and makes the duration their sum.
func (s *Scenario) validatePhases(p *problems) {
	var sum Duration
	for i := range s.Phases {
		path := fmt.Sprintf("phases[%d]", i)
		sum += s.Phases[i].Duration
		if name := s.Phases[i].Name; p.read(path+".name") && name != "" && !namePattern.MatchString(name) {
			p.add(path+".name", "found %q, expected letters, digits and single dashes", shorten(name))
		}
		if mix := s.Phases[i].Workload.In(s.Workload).Mix; p.read(path+".workload", "workload.mix") && mix.Get+mix.Put+mix.CAS+mix.Append+mix.Delete == 0 {
			p.add(path+".workload.mix", "found only zeros, expected at least one kind of operation with a weight")
		}
		if burst := s.Phases[i].Workload.Burst; burst != nil && p.read(path+".workload", "workload.clients", "workload.open") && burst.Size > s.Workload.Clients*s.Workload.Open {
			p.add(path+".workload.burst.size", "found %d, expected at most as many operations as all clients can have open (%d)",
				burst.Size, s.Workload.Clients*s.Workload.Open)
		}
	}
	if len(s.Phases) == 0 || !p.read("phases", "duration") {
		return
	}
	if _, given := p.where["duration"]; given && s.Duration != sum {
		p.add("duration", "found %s, expected none, or the sum of the phases, which is %s", s.Duration, sum)
	}
	s.Duration = sum
	if p.read("workload.operations") && len(s.Workload.Operations) > 0 {
		p.add("phases", "found them together with workload.operations, expected one of the two")
	}
}

// validateEntry checks what the fields of one entry of faults mean together.
func (s *Scenario) validateEntry(p *problems, e FaultEntry) {
	validateStarts(p, e)
	s.validateWindow(p, e)
	s.validateFault(p, e.Fault, e.Path, 0)
	validateLimits(p, e)
}

// maxDepth is how deep faults may be inside each other.
const maxDepth = 8

// validateFault checks one fault, and those inside it.
func (s *Scenario) validateFault(p *problems, f *Fault, path string, depth int) {
	if depth > maxDepth {
		p.add(path, "found faults inside each other %d deep, expected at most %d", depth, maxDepth)
		return
	}
	groups := f.groups()
	if depth > 0 {
		validateNested(p, f, path)
	}
	if p.read(path+".sequence", path+".together", path+".one_of") && len(groups) > 1 {
		p.add(path, "found %s and %s, expected one of them: put one inside the other", groups[0].key, groups[1].key)
		return
	}
	if len(groups) == 0 {
		s.validateLeaf(p, f, path)
		return
	}
	for _, own := range []struct {
		key   string
		given bool
	}{{"kind", f.Kind != ""}, {"target", !f.Target.IsZero()}, {"for", !f.For.IsZero()}, {"forever", f.Forever}, {"at_least", f.AtLeast > 0}, {"lose_quorum", f.LoseQuorum}} {
		if own.given && p.read(path+"."+own.key) {
			p.add(path+"."+own.key, "found it together with %s, expected it of the faults in there", groups[0].key)
		}
	}
	for i := range groups[0].faults {
		s.validateFault(p, &groups[0].faults[i], fmt.Sprintf("%s.%s[%d]", path, groups[0].key, i), depth+1)
	}
}

// validateNested refuses times inside another fault, which says when.
func validateNested(p *problems, f *Fault, path string) {
	for _, when := range []struct {
		key   string
		given bool
	}{{"every", f.Every > 0}, {"count", f.Count > 0}, {"at", len(f.At) > 0}, {"when", f.When != ""}, {"after", f.After > 0}, {"before", f.Before > 0}, {"at_most", f.AtMost > 0}} {
		if when.given && p.read(path+"."+when.key) {
			p.add(path+"."+when.key, "found it inside another fault, expected it of the outermost one, which says when")
		}
	}
}

// validateLeaf checks a fault with a kind.
func (s *Scenario) validateLeaf(p *problems, f *Fault, path string) {
	kind, ok := FaultKindOf(f.Kind)
	if !ok {
		return
	}
	s.validateTarget(p, f, kind, path)
	validateLength(p, f, kind, path)
	deps := []string{path + ".target"}
	for _, parameter := range fieldsIn(kind.Parameters) {
		deps = append(deps, path+"."+parameter.key)
	}
	if kind.Validate != nil && p.read(deps...) {
		kind.Validate(s, f, func(key, format string, args ...any) { p.add(join(path, key), format, args...) })
	}
}

func (s *Scenario) validateTarget(p *problems, f *Fault, kind FaultKind, path string) {
	t := f.Target
	switch {
	case !p.read(path + ".target"):
	case kind.Untargeted && !t.IsZero():
		p.add(path+".target", "found %s, expected no target: kind %s strikes no host", t, kind.Name)
	case kind.Untargeted:
	case t.IsZero():
		p.add(path, "found no \"target\", expected one: to whom")
	default:
		s.validateHosts(p, t, path+".target")
		s.validatePlace(p, t, path+".target")
		s.validateAmount(p, f, kind, path)
		first, last := uint64(s.Clusters.First), uint64(s.Clusters.First+s.Clusters.Count-1)
		if t.Cluster != 0 && p.read("clusters.first", "clusters.count") && (t.Cluster < first || t.Cluster > last) {
			p.add(path+".target", "found cluster %d, expected one of %d to %d", t.Cluster, first, last)
		}
	}
}

// validateHosts checks that the hosts exist that a target names.
func (s *Scenario) validateHosts(p *problems, t Target, path string) {
	for _, name := range t.Hosts() {
		class, number := SplitHost(name)
		count, at := s.Deployment.NodeHosts, "deployment.nodehosts"
		if class == AnyDrummer {
			count, at = s.Deployment.Drummers, "deployment.drummers"
		}
		if p.read(at) && number > count {
			p.add(path, "found %s, expected one of the %d: %s-1 to %s-%d", name, count, class, class, count)
		}
	}
}

func (s *Scenario) validatePlace(p *problems, t Target, path string) {
	if t.Place == "" || !p.read("deployment.regions", "deployment.racks", "deployment.labels", "deployment.nodehosts") {
		return
	}
	regions, racks, labels := s.Deployment.Places()
	switch all := names(slices.Concat(regions, racks, labels)); {
	case t.Place == AnyRegion && len(regions) == 0:
		p.add(path, "found any-region, expected deployment.regions")
	case t.Place == AnyRack && len(racks) == 0:
		p.add(path, "found any-rack, expected deployment.racks")
	case t.Place != AnyRegion && t.Place != AnyRack && !slices.Contains(all, t.Place):
		p.add(path, "found the place %q, expected %s%s", t.Place, oneOf(append(all, AnyRegion, AnyRack)), didYouMean(t.Place, all))
	}
}

// validateAmount checks that there can be so many hosts, and that their loss is
// allowed if it is certain to cost a quorum.
func (s *Scenario) validateAmount(p *problems, f *Fault, kind FaultKind, path string) {
	t := f.Target
	if !p.read("deployment", "clusters.size", path+".lose_quorum") {
		return
	}
	whole := t
	whole.Amount = Amount{Word: All}
	if n := s.most(whole); t.Amount.Max > n && t.Place != AnyRegion && t.Place != AnyRack {
		p.add(path+".target", "found %d hosts, expected at most the %d that there are", t.Amount.Max, n)
	}
	all := t.Amount.Word == All && t.Place == "" || t.Amount.Word == Majority && (t.OfCluster() || t.OfDrummers())
	if all && kind.Down && !f.LoseQuorum {
		p.add(path, "found a %s of %s without lose_quorum, expected lose_quorum: true, or it would never begin", kind.Name, t)
	}
}

// validateLength checks how long a fault with a kind lasts.
func validateLength(p *problems, f *Fault, kind FaultKind, path string) {
	switch {
	case !p.read(path+".for", path+".forever"):
	case kind.Instant && (f.Forever || !f.For.IsZero()):
		p.add(path, "found how long it lasts, expected nothing: a %s lasts no time", kind.Name)
	case kind.Instant:
	case f.Forever && !f.For.IsZero():
		p.add(path+".for", "found it together with forever, expected one of the two")
	case !f.Forever && f.For.IsZero():
		p.add(path, "found no \"for\", expected how long it lasts, such as 10s..40s")
	case f.Forever && !kind.Forever:
		p.add(path+".forever", "found it with kind %s, expected for: a %s must end", kind.Name, kind.Name)
	case f.Forever && (f.Times > 1):
		p.add(path+".times", "found it together with forever, expected one of the two")
	}
}

// validateStarts checks that an entry says in one way when it begins.
func validateStarts(p *problems, e FaultEntry) {
	f, ways := e.Fault, 0
	for _, given := range []bool{f.Every > 0, f.Count > 0, len(f.At) > 0, f.When != ""} {
		if given {
			ways++
		}
	}
	if p.read(e.Path+".every", e.Path+".count", e.Path+".at", e.Path+".when") && ways != 1 {
		p.add(e.Path, "found %d of every, count, at and when, expected exactly one of them", ways)
	}
	f.walk(e.Path, func(inner *Fault, path string) {
		if inner.Target.Class == There && f.When == "" && p.read(path+".target", e.Path+".when") {
			p.add(path+".target", "found there, expected when: it is the host on which the moment came")
		}
	})
}

// validateWindow checks that all starts fall into the phase with faults.
func (s *Scenario) validateWindow(p *problems, e FaultEntry) {
	f, path := e.Fault, e.Path
	if !p.read("duration", "phases", path+".after", path+".before") {
		return
	}
	from, to := e.Window()
	from, to = from-e.From, to-e.From
	if from >= to {
		p.add(path+".after", "found %s, expected less than %s, when the last start may be", f.After, to)
	}
	for i, at := range f.At {
		if item := fmt.Sprintf("%s.at[%d]", path, i); p.read(item) && (at < from || at > to) {
			p.add(item, "found %s, expected an offset from %s to %s", at, from, to)
		}
	}
}

// Window returns the offsets into the phase with faults between which the entry
// may start.
func (e FaultEntry) Window() (from, to Duration) {
	from, to = e.From+e.Fault.After, e.To
	if e.Fault.Before > 0 {
		to = min(e.From+e.Fault.Before, to)
	}
	return from, to
}

func validateLimits(p *problems, e FaultEntry) {
	f, path := e.Fault, e.Path
	if !p.read(path+".count", path+".at", path+".at_most") {
		return
	}
	if planned := f.Count + len(f.At); planned > 0 && f.AtMost > 0 {
		p.add(path+".at_most", "found it without every or when, expected it only with one of them: the number is fixed")
	}
	if f.Every > 0 && f.AtMost == 0 {
		return
	}
	f.walk(path, func(inner *Fault, innerPath string) {
		most := Leaf{Fault: inner, Entry: e}.starts()
		if inner.Target.Amount.Word == Each {
			return
		}
		if p.read(innerPath+".at_least") && inner.AtLeast > most {
			p.add(innerPath+".at_least", "found %d, expected at most the %d that may start", inner.AtLeast, most)
		}
	})
}

// SPDX-License-Identifier: Apache-2.0

package scenarios

import "fmt"

// validateFault checks what the fields of one fault mean together, and what its
// kind asks for.
func (s *Scenario) validateFault(p *problems, f *Fault, path string) {
	s.validateTarget(p, f, path)
	s.validateTimes(p, f, path)
	s.validateWindow(p, f, path)
	validateLimits(p, f, path)
	kind, ok := FaultKindOf(f.Kind)
	if !ok {
		return
	}
	if p.read(path+".forever") && f.Forever && !kind.Forever {
		p.add(path+".forever", "found it with kind %s, expected for: a %s must end", kind.Name, kind.Name)
	}
	deps := []string{path + ".target"}
	for _, parameter := range fieldsIn(kind.Parameters) {
		deps = append(deps, path+"."+parameter.key)
	}
	if kind.Validate != nil && p.read(deps...) {
		kind.Validate(s, f, func(key, format string, args ...any) { p.add(join(path, key), format, args...) })
	}
}

func (s *Scenario) validateTarget(p *problems, f *Fault, path string) {
	count, at := s.Deployment.NodeHosts, "deployment.nodehosts"
	if f.Target.OfDrummers() {
		count, at = s.Deployment.Drummers, "deployment.drummers"
	}
	if p.read(path+".target", at) && f.Target.Number > count {
		p.add(path+".target", "found %s, expected one of the %d: %s-1 to %s-%d", f.Target, count, f.Target.Class, f.Target.Class, count)
	}
}

func (s *Scenario) validateTimes(p *problems, f *Fault, path string) {
	ways := 0
	for _, given := range []bool{f.Every > 0, f.Count > 0, len(f.At) > 0} {
		if given {
			ways++
		}
	}
	if p.read(path+".every", path+".count", path+".at") && ways != 1 {
		p.add(path, "found %d of every, count and at, expected exactly one of them", ways)
	}
	switch {
	case !p.read(path+".for", path+".forever"):
	case f.Forever && !f.For.IsZero():
		p.add(path+".for", "found it together with forever, expected one of the two")
	case !f.Forever && f.For.IsZero():
		p.add(path, "found no \"for\", expected how long it lasts, such as 10s..40s")
	}
}

// validateWindow checks that all starts fall into the phase with faults.
func (s *Scenario) validateWindow(p *problems, f *Fault, path string) {
	if !p.read("duration", path+".after", path+".before") {
		return
	}
	from, to := s.Window(f)
	if from >= to {
		p.add(path+".after", "found %s, expected less than %s, when the last start may be", f.After, to)
	}
	for i, at := range f.At {
		if item := fmt.Sprintf("%s.at[%d]", path, i); p.read(item) && (at < from || at > to) {
			p.add(item, "found %s, expected an offset from %s to %s", at, from, to)
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
	if !p.read(path+".count", path+".at", path+".at_most") {
		return
	}
	most := f.AtMost
	if planned := f.Count + len(f.At); planned > 0 {
		if f.AtMost > 0 {
			p.add(path+".at_most", "found it without every, expected it only with every: the number is fixed")
		}
		most = planned
	}
	if p.read(path+".at_least") && most > 0 && f.AtLeast > most {
		p.add(path+".at_least", "found %d, expected at most the %d that may start", f.AtLeast, most)
	}
}

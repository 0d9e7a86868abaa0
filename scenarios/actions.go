// SPDX-License-Identifier: Apache-2.0

package scenarios

import (
	"fmt"
	"slices"
)

// What an operator does.
const (
	Drain    = "drain"
	Cordon   = "cordon"
	Activate = "activate"
	Resize   = "resize"
	Create   = "create"
	Delete   = "delete"
	PauseAll = "pause"
	Resume   = "resume"
	BackUp   = "back-up"
	Restore  = "restore"
)

// actionFields are the fields of each action besides do and at; those that it
// must have are marked.
var actionFields = map[string]map[string]bool{
	Drain:    {"host": true},
	Cordon:   {"host": true},
	Activate: {"host": true},
	Resize:   {"size": true, "clusters": false},
	Create:   {"clusters": true},
	Delete:   {"clusters": true},
	PauseAll: {},
	Resume:   {},
	BackUp:   {},
	Restore:  {},
}

// validateActions checks what the actions of the list mean together.
func (s *Scenario) validateActions(p *problems) {
	created, counted, kept := 0, true, false
	for i, a := range s.Actions {
		path := fmt.Sprintf("actions[%d]", i)
		if p.read(path + ".do") {
			s.validateActionFields(p, &a, path)
		}
		if p.read(path+".at", "duration") && a.At > s.Duration {
			p.add(path+".at", "found %s, expected at most duration (%s)", a.At, s.Duration)
		}
		if i > 0 && p.read(path+".at", fmt.Sprintf("actions[%d].at", i-1)) && a.At < s.Actions[i-1].At {
			p.add(path+".at", "found %s after %s, expected the actions in order of their times", a.At, s.Actions[i-1].At)
		}
		kept = kept || a.Do == BackUp
		if a.Do == Restore && !kept {
			p.add(path+".do", "found restore, expected back-up before it")
		}
		counted = counted && p.read(path+".do", path+".clusters")
		switch {
		case !counted:
		case a.Do == Create:
			created += a.Clusters
		case a.Do == Delete:
			if created -= a.Clusters; created < 0 {
				p.add(path+".clusters", "found %d, expected at most as many as were created and not deleted before", a.Clusters)
			}
		}
	}
}

func (s *Scenario) validateActionFields(p *problems, a *Action, path string) {
	given := map[string]bool{"host": !a.Host.IsZero(), "size": a.Size > 0, "clusters": a.Clusters > 0}
	for _, key := range sortedKeys(given) {
		required, belongs := actionFields[a.Do][key]
		switch {
		case !p.read(path + "." + key):
		case given[key] && !belongs:
			p.add(path+"."+key, "found it with %s, which takes %s", a.Do, actionKeys(a.Do))
		case required && !given[key]:
			p.add(path, "found no %q, expected one with %s", key, a.Do)
		}
	}
	hosts := p.read("deployment.nodehosts")
	if hosts && p.read(path+".host") && given["host"] && (a.Host.Class != AnyNodeHost || a.Host.Number == 0 || a.Host.Number > s.Deployment.NodeHosts) {
		p.add(path+".host", "found %s, expected one of nodehost-1 to nodehost-%d", a.Host, s.Deployment.NodeHosts)
	}
	if hosts && p.read(path+".size") && a.Size > s.Deployment.NodeHosts {
		p.add(path+".size", "found %d members a cluster, expected at most %d: one for each NodeHost", a.Size, s.Deployment.NodeHosts)
	}
	if p.read(path+".clusters", "clusters.count") && a.Do == Resize && a.Clusters > s.Clusters.Count {
		p.add(path+".clusters", "found %d, expected at most clusters.count (%d)", a.Clusters, s.Clusters.Count)
	}
}

// actionKeys says which fields an action takes.
func actionKeys(do string) string {
	keys := sortedKeys(actionFields[do])
	if len(keys) == 0 {
		return "only at"
	}
	return "only at and " + oneOf(slices.Clone(keys))
}

// SPDX-License-Identifier: Apache-2.0

package scenarios

import (
	"reflect"
	"slices"
	"strings"
)

// AllOptions lists Dragonboat's options that a swarm draws, each with each of its
// alternatives: 'clusters.quiesce true'. They are the fields of Clusters with an
// option tag.
func AllOptions() []string {
	var all []string
	for _, f := range fieldsOf(reflect.TypeFor[Clusters]()) {
		if !f.option {
			continue
		}
		for _, text := range strings.Split(f.swarm, "|") {
			if option := "clusters." + f.key + " " + text; !slices.Contains(all, option) {
				all = append(all, option)
			}
		}
	}
	return all
}

// Options lists which of AllOptions a scenario has.
func Options(s *Scenario) []string {
	has := Swarmed(s)
	return slices.DeleteFunc(AllOptions(), func(option string) bool { return !slices.Contains(has, option) })
}

// WithoutMaster reports whether only a deployment without Drummers can have an
// option.
func WithoutMaster(option string) bool {
	key, value, _ := strings.Cut(strings.TrimPrefix(option, "clusters."), " ")
	switch key {
	case "observers", "witnesses":
		return value != "0"
	case "ordered_config_change", "auto_compaction":
		return value == "false"
	}
	return false
}

// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

func TestMisplacedMembers(t *testing.T) {
	at := func(name, region, rack string, labels ...string) world.Host {
		h := world.Host{Name: name, Region: region, Labels: map[string]string{world.RackLabel: rack}}
		for _, l := range labels {
			h.Labels[l] = world.LabelValue
		}
		return h
	}
	a1, b1, c2, d2 := at("a", "east", "1"), at("b", "east", "1"), at("c", "west", "2"), at("d", "west", "2")
	fast := at("e", "east", "3", "fast")
	for name, x := range map[string]struct {
		want     scenarios.Clusters
		at, open []world.Host
		why      string
	}{
		"nothing is asked for":               {scenarios.Clusters{}, []world.Host{a1, b1}, []world.Host{c2}, ""},
		"two in a rack, another one is free": {scenarios.Clusters{SpreadOver: "rack"}, []world.Host{a1, b1}, []world.Host{c2}, "regions lack 0 members and 1 pairs share a failure domain; on c in place of a, regions lack 0 members and 0 pairs share a failure domain"},
		"two in a rack, and no other":        {scenarios.Clusters{SpreadOver: "rack"}, []world.Host{a1, b1}, []world.Host{a1, b1}, ""},
		"two in a region":                    {scenarios.Clusters{SpreadOver: "region"}, []world.Host{c2, d2}, []world.Host{a1}, "regions lack 0 members and 1 pairs share a failure domain; on a in place of c, regions lack 0 members and 0 pairs share a failure domain"},
		"a region has too few":               {scenarios.Clusters{Regions: map[string]int{"east": 2}}, []world.Host{a1, c2, d2}, []world.Host{b1}, "regions lack 1 members and 0 pairs share a failure domain; on b in place of c, regions lack 0 members and 0 pairs share a failure domain"},
		"a region has too few, and no host":  {scenarios.Clusters{Regions: map[string]int{"east": 2}}, []world.Host{a1, c2, d2}, []world.Host{a1}, ""},
		"regions go before racks":            {scenarios.Clusters{Regions: map[string]int{"east": 2}, SpreadOver: "rack"}, []world.Host{a1, b1, c2}, []world.Host{d2}, ""},
		"a host lacks a label":               {scenarios.Clusters{RequiredLabels: []string{"fast"}}, []world.Host{fast, a1}, nil, "a member is on a, which lacks the label fast"},
		"a better host lacks a label":        {scenarios.Clusters{RequiredLabels: []string{"fast"}, SpreadOver: "rack"}, []world.Host{fast, at("f", "east", "3", "fast")}, []world.Host{a1}, ""},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, x.why, misplacedIn(x.want, x.at, x.open)) })
	}
}

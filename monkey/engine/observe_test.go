// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// fleet is a world of three Drummers and four NodeHosts; cluster 1 has its
// voters on a, b and c, cluster 2 on b, c and d.
type fleet struct {
	world.World
	down []string
}

func (f *fleet) Hosts() []world.Host {
	var all []world.Host
	for _, name := range []string{"x", "y", "z"} {
		all = append(all, world.Host{Name: name, Role: world.Drummer})
	}
	for _, name := range []string{"a", "b", "c", "d"} {
		all = append(all, world.Host{Name: name, Role: world.NodeHost})
	}
	return all
}

func (f *fleet) Running(host string) bool { return !slices.Contains(f.down, host) }

func (f *fleet) Inspect(_ context.Context, host string) (world.Inspection, error) {
	in := world.Inspection{Host: host}
	for cluster, hosts := range map[uint64][]string{1: {"a", "b", "c"}, 2: {"b", "c", "d"}} {
		voters := map[uint64]string{}
		for i, h := range hosts {
			voters[uint64(i+1)] = h + ":1"
		}
		if i := slices.Index(hosts, host); i >= 0 {
			in.Nodes = append(in.Nodes, world.Node{ClusterID: cluster, NodeID: uint64(i + 1), Ready: true, ConfigID: 1, Voters: voters})
		}
	}
	return in, nil
}

func TestAFaultIsSafeIfItCostsNoQuorumThatThereIs(t *testing.T) {
	for name, c := range map[string]struct {
		down, hosts, lost []string
		forever           bool
		want              bool
	}{
		"one of three":                            {nil, []string{"a"}, nil, false, true},
		"two of three":                            {nil, []string{"b", "c"}, nil, false, false},
		"the second of three":                     {[]string{"a"}, []string{"b"}, nil, false, false},
		"one that is cut off counts":              {nil, []string{"b"}, []string{"a"}, false, false},
		"in another cluster":                      {[]string{"a"}, []string{"d"}, nil, false, true},
		"the last of a cluster without a quorum":  {[]string{"a", "b"}, []string{"c"}, nil, false, false}, // cluster 2 has one
		"where no cluster has a quorum":           {[]string{"b", "c"}, []string{"a"}, nil, false, true},
		"permanently, where none has one":         {[]string{"b", "c"}, []string{"a"}, nil, true, false},
		"a Drummer":                               {nil, []string{"x"}, nil, false, true},
		"the second Drummer":                      {[]string{"x"}, []string{"y"}, nil, false, false},
		"a NodeHost while DrummerDB has none":     {[]string{"x", "y"}, []string{"a"}, nil, false, true},
		"a NodeHost permanently, without Drummer": {[]string{"x", "y"}, []string{"a"}, nil, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			o := &observer{want: func(uint64) members { return members{voters: 3} }, w: &fleet{down: c.down}}
			require.Equal(t, c.want, o.safe(c.hosts, c.lost, c.forever))
		})
	}
}

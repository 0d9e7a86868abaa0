// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

func hosts(drummers, nodehosts int) []world.Host {
	var all []world.Host
	for i := range drummers {
		all = append(all, world.Host{Name: fmt.Sprintf("drummer-%d", i+1), Role: world.Drummer})
	}
	for i := range nodehosts {
		all = append(all, world.Host{Name: fmt.Sprintf("nodehost-%d", i+1), Role: world.NodeHost})
	}
	return all
}

func drawFault(t *rapid.T) scenarios.Fault {
	seconds := func(name string, lo, hi int) scenarios.Duration {
		return scenarios.Duration(rapid.IntRange(lo, hi).Draw(t, name)) * scenarios.Duration(time.Second)
	}
	f := scenarios.Fault{
		Kind:   rapid.SampledFrom([]string{"kill", "power-loss", "partition"}).Draw(t, "kind"),
		Target: scenarios.Target{Class: rapid.SampledFrom([]scenarios.TargetClass{scenarios.AnyNodeHost, scenarios.AnyDrummer}).Draw(t, "class")},
		For:    scenarios.Range{Min: seconds("for", 1, 20), Max: seconds("longer", 20, 60)},
		After:  seconds("after", 0, 100),
	}
	if rapid.Bool().Draw(t, "counted") {
		f.Count = rapid.IntRange(1, 5).Draw(t, "count")
	} else {
		f.Every = seconds("every", 5, 120)
		f.AtMost = rapid.IntRange(0, 3).Draw(t, "at most")
	}
	f.Forever = f.Kind != "partition" && rapid.Bool().Draw(t, "forever")
	return f
}

func TestPlanProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &scenarios.Scenario{Duration: scenarios.Duration(10 * time.Minute)}
		s.Clusters.Count = 4
		s.Faults = rapid.SliceOfN(rapid.Custom(drawFault), 1, 5).Draw(t, "faults")
		seed := rapid.Uint64().Draw(t, "seed")
		plan := Plan(s, hosts(3, 5), seed)
		require.Equal(t, plan, Plan(s, hosts(3, 5), seed), "the seed fixes the plan")
		require.True(t, slices.IsSortedFunc(plan, func(a, b Step) int { return int(a.At - b.At) }))
		dead := map[string]bool{}
		starts := map[*scenarios.Fault]int{}
		for i, step := range plan {
			f := step.Fault
			starts[f]++
			require.Same(t, &s.Faults[step.Entry], f)
			require.Equal(t, i+1, step.ID)
			require.GreaterOrEqual(t, step.At, f.After.D())
			require.LessOrEqual(t, step.At, s.Duration.D())
			if f.Forever {
				require.Zero(t, step.For)
			} else {
				require.GreaterOrEqual(t, step.For, f.For.Min.D())
				require.LessOrEqual(t, step.For, f.For.Max.D())
				require.LessOrEqual(t, step.At+step.For, s.Duration.D(), "it is not cut short")
			}
			for _, h := range step.Hosts {
				require.False(t, dead[h], "%s is permanently dead and no target", h)
				dead[h] = f.Forever
			}
		}
		for f, n := range starts {
			if f.Count > 0 {
				require.Equal(t, f.Count, n)
			}
			if f.AtMost > 0 {
				require.LessOrEqual(t, n, f.AtMost)
			}
		}
	})
}

func TestPlanAvoidsBusyHosts(t *testing.T) {
	s := &scenarios.Scenario{Duration: scenarios.Duration(time.Minute)}
	minute := scenarios.Range{Min: scenarios.Duration(time.Minute), Max: scenarios.Duration(time.Minute)}
	for range 4 {
		s.Faults = append(s.Faults, scenarios.Fault{Kind: "kill", Count: 1, For: minute, Target: scenarios.Target{Class: scenarios.AnyNodeHost}})
	}
	for seed := range uint64(50) {
		struck := map[string]bool{}
		for _, step := range Plan(s, hosts(3, 4), seed) {
			struck[step.Hosts[0]] = true
		}
		require.Len(t, struck, 4, "seed %d: four faults at once strike four hosts", seed)
	}
}

func TestPlanOfAFixedTimetable(t *testing.T) {
	s := &scenarios.Scenario{Duration: scenarios.Duration(time.Minute), Faults: []scenarios.Fault{{
		Kind: "kill", Target: scenarios.Target{Class: scenarios.AnyNodeHost, Number: 2},
		At: []scenarios.Duration{scenarios.Duration(30 * time.Second), scenarios.Duration(5 * time.Second)}, For: scenarios.Range{Min: 1, Max: 1},
	}}}
	plan := Plan(s, hosts(3, 4), 1)
	require.Len(t, plan, 2)
	require.Equal(t, 5*time.Second, plan[0].At)
	require.Equal(t, []string{"nodehost-2"}, plan[0].Hosts)
}

// SPDX-License-Identifier: Apache-2.0

//go:build monkey

package monkey_test

import (
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/harness"
	"github.com/drumbeat-raft/drumbeat/monkey/judge"
	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

var bugSeedsFlag = flag.Int("monkey.bugs", 0, "seeds of TestHowSoonBugsAreFound; 0: it is skipped")

// timeless makes a world of a scenario in which nothing takes time and clients
// do not contend.
var timeless = []string{
	"deployment.network.latency=0", "deployment.disk.sync=0", "workload.zipf=0", "workload.burst.size=1",
}

// soon is how soon a bug was found over several seeds.
type soon struct {
	runs, found int
	seconds     float64 // of virtual time until the runs were over, in total
	seen        float64 // and until a check first saw something wrong
}

func (s *soon) add(t *testing.T, r *judge.Result) {
	s.runs++
	s.seconds += r.VirtualSeconds
	first := r.VirtualSeconds
	see := func(at time.Duration) { first = min(first, at.Seconds()) }
	recorded, err := timeline.Read(r.Dir)
	require.NoError(t, err)
	timeline.All(recorded, func(at time.Duration, _ timeline.Diverged) { see(at) })
	timeline.All(recorded, func(at time.Duration, _ timeline.Violated) { see(at) })
	s.seen += first
	if r.Verdict == judge.Violation {
		s.found++
	}
}

func (s soon) String() string {
	n := float64(s.runs)
	return fmt.Sprintf("%d of %d | %.0f s | %.0f s", s.found, s.runs, s.seen/n, s.seconds/n)
}

// TestHowSoonBugsAreFound makes the table of docs/scenarios.md: each planted bug
// with the seeds from 1 on, where things take time and clients contend, and
// where they do not. It asserts nothing: to find them is for
// TestChaosFindsPlantedBugs.
func TestHowSoonBugsAreFound(t *testing.T) {
	if *bugSeedsFlag == 0 {
		t.Skip("-monkey.bugs is not given")
	}
	var kinds []string
	for _, bug := range scenarios.BugKinds() {
		if !bug.Racy && !bug.Upgrade {
			kinds = append(kinds, bug.Name)
		}
	}
	columns := []*column{{sets: timeless, bugs: map[string]*soon{}}, {bugs: map[string]*soon{}}}
	for seed := range uint64(*bugSeedsFlag) {
		for _, kind := range kinds {
			for _, c := range columns {
				r, err := harness.Run(t.Context(), harness.Options{
					File: "planted-bug", World: harness.WorldSim, Clock: harness.ClockVirtual, Seed: seed + 1, Out: t.TempDir(),
					Sets: append([]string{"clusters.bug.kind=" + kind}, c.sets...),
				})
				require.NoError(t, err)
				c.add(t, kind, r)
			}
		}
		fmt.Println(soonTable(kinds, columns))
	}
}

// column is how soon each bug was found in one world.
type column struct {
	sets []string
	bugs map[string]*soon
}

func (c *column) add(t *testing.T, kind string, r *judge.Result) {
	if c.bugs[kind] == nil {
		c.bugs[kind] = &soon{}
	}
	c.bugs[kind].add(t, r)
}

func soonTable(kinds []string, columns []*column) string {
	var table strings.Builder
	table.WriteString("| bug | without: found | first seen | stopped | with: found | first seen | stopped |\n|---|---|---|---|---|---|---|\n")
	for _, kind := range kinds {
		fmt.Fprintf(&table, "| `%s` |", kind)
		for _, c := range columns {
			fmt.Fprintf(&table, " %s |", c.bugs[kind])
		}
		table.WriteByte('\n')
	}
	return table.String()
}

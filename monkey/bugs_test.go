// SPDX-License-Identifier: Apache-2.0

//go:build monkey

package monkey_test

import (
	"flag"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey"
	"github.com/drumbeat-raft/drumbeat/monkey/judge"
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
}

func (s *soon) add(r *judge.Result) {
	s.runs++
	s.seconds += r.VirtualSeconds
	if r.Verdict == judge.Violation {
		s.found++
	}
}

func (s soon) String() string {
	return fmt.Sprintf("%d of %d | %.0f s", s.found, s.runs, s.seconds/float64(s.runs))
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
		if !bug.Racy {
			kinds = append(kinds, bug.Name)
		}
	}
	columns := []*column{{sets: timeless, bugs: map[string]*soon{}}, {bugs: map[string]*soon{}}}
	for seed := range uint64(*bugSeedsFlag) {
		for _, kind := range kinds {
			for _, c := range columns {
				r, err := monkey.Run(t.Context(), monkey.Options{
					File: "planted-bug", World: monkey.WorldSim, Clock: monkey.ClockVirtual, Seed: seed + 1, Out: t.TempDir(),
					Sets: append([]string{"clusters.bug.kind=" + kind}, c.sets...),
				})
				require.NoError(t, err)
				c.add(kind, r)
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

func (c *column) add(kind string, r *judge.Result) {
	if c.bugs[kind] == nil {
		c.bugs[kind] = &soon{}
	}
	c.bugs[kind].add(r)
}

func soonTable(kinds []string, columns []*column) string {
	var table strings.Builder
	table.WriteString("| bug | found without | mean time to the end | found with | mean time to the end |\n|---|---|---|---|---|\n")
	for _, kind := range kinds {
		fmt.Fprintf(&table, "| `%s` |", kind)
		for _, c := range columns {
			fmt.Fprintf(&table, " %s |", c.bugs[kind])
		}
		table.WriteByte('\n')
	}
	return table.String()
}

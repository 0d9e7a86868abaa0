// SPDX-License-Identifier: Apache-2.0

package scenarios_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/coverage"
	"github.com/drumbeat-raft/drumbeat/monkey/sim"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

const faultsFile = "../docs/faults.md"

// worlds are all worlds there are, and what they can do.
var worlds = map[string][]scenarios.Capability{"sim": sim.Capabilities()}

// TestThePageOfFaultsIsCurrent compares the page with the catalogue. With -rewrite
// it writes it.
func TestThePageOfFaultsIsCurrent(t *testing.T) {
	if flag.Lookup("rewrite").Value.String() == "true" {
		require.NoError(t, os.WriteFile(faultsFile, []byte(faultsPage(t)), 0o644))
		return
	}
	source, err := os.ReadFile(faultsFile)
	require.NoError(t, err)
	require.Equal(t, faultsPage(t), string(source), "run go test ./scenarios -rewrite")
}

func faultsPage(t *testing.T) string {
	var out strings.Builder
	out.WriteString(`# The catalogue of faults

This page is made from the catalogue by ` + "`go test ./scenarios -rewrite`" + `. How a scenario says when they strike and whom: [scenarios.md](scenarios.md); how to add one: [adding-a-fault.md](adding-a-fault.md). An injection counts by its *effect*, the counts of ` + "`result.json`" + ` that are named here; one without any does not count for ` + "`at_least`" + `. *Struck* is in how many runs of scenario ` + "`swarm`" + `, each of another seed, it took effect at least once (` + "`monkey coverage --struck docs/swarm-struck.json runs/swarm`" + ` writes that down).

`)
	for _, class := range []scenarios.FaultClass{scenarios.OfNetwork, scenarios.OfDisk, scenarios.OfProcess, scenarios.OfTime, scenarios.OfFleet} {
		kinds := slices.DeleteFunc(scenarios.FaultKinds(), func(k scenarios.FaultKind) bool { return k.Class != class })
		if len(kinds) == 0 {
			continue
		}
		fmt.Fprintf(&out, "## %s\n\n| fault | what is done | effect | lasts | targets | a swarm draws it | struck | worlds |\n|---|---|---|---|---|---|---|---|\n", class)
		for _, k := range kinds {
			fmt.Fprintf(&out, "| `%s` | %s | `%s` | %s | %s | %s | %s | %s |\n", k.Name, k.Doc, strings.Join(k.Effect, "`, `"), lasts(k), targets(k), drawn(k), inRuns(t, k), ableWorlds(k))
		}
		out.WriteString("\n")
		for _, k := range kinds {
			writeParameters(&out, k)
		}
	}
	return out.String()
}

func lasts(k scenarios.FaultKind) string {
	switch {
	case k.Instant:
		return "no time"
	case k.Forever:
		return "`for` or `forever`"
	}
	return "`for`"
}

func targets(k scenarios.FaultKind) string {
	if k.Untargeted {
		return "none"
	}
	return "any"
}

func drawn(k scenarios.FaultKind) string {
	if k.Draw == nil {
		return "no"
	}
	return "yes"
}

// struck is what monkey coverage wrote down of swarm runs.
var struck = sync.OnceValues(func() (s coverage.Struck, err error) {
	b, err := os.ReadFile("../docs/swarm-struck.json")
	if err == nil {
		err = json.Unmarshal(b, &s)
	}
	return s, err
})

// inRuns says in how many swarm runs a kind of fault took effect.
func inRuns(t *testing.T, k scenarios.FaultKind) string {
	s, err := struck()
	require.NoError(t, err)
	if k.Draw == nil {
		return "–"
	}
	return fmt.Sprintf("%d of %d", s.Faults[k.Name], s.Runs)
}

func ableWorlds(k scenarios.FaultKind) string {
	var names []string
	for name, can := range worlds {
		if slices.Contains(can, k.Needs) {
			names = append(names, "`"+name+"`")
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

func writeParameters(out *strings.Builder, k scenarios.FaultKind) {
	entries := k.ParameterReference()
	if len(entries) == 0 {
		return
	}
	fmt.Fprintf(out, "Parameters of `%s`:\n\n", k.Name)
	for _, e := range entries {
		about := []string{e.Type}
		if e.Default == "required" {
			about = append(about, "required")
		} else if e.Default != "" {
			about = append(about, "default `"+e.Default+"`")
		}
		if e.Limits != "" {
			about = append(about, e.Limits)
		}
		fmt.Fprintf(out, "- `%s` (%s): %s\n", e.Path, strings.Join(about, "; "), e.Doc)
	}
	out.WriteString("\n")
}

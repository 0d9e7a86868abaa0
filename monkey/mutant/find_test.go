// SPDX-License-Identifier: Apache-2.0

package mutant_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/judge"
	"github.com/drumbeat-raft/drumbeat/monkey/mutant"
)

// TestAMutantIsFound wants one to be found when it is on, and nothing when none is.
func TestAMutantIsFound(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles everything with all mutants")
	}
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	program, err := mutant.Build(t.Context(), root, t.TempDir(), "./cmd/monkey")
	require.NoError(t, err)
	for name, want := range map[string]judge.Verdict{"vote-twice": judge.Violation, "": judge.Pass} {
		t.Run(name, func(t *testing.T) {
			strikes := filepath.Join(t.TempDir(), "strikes")
			cmd := exec.CommandContext(t.Context(), program, "run", "quickstart", "--duration", "2m", "--set", "expect={}", "--set", "checks.evidence={enabled: false}",
				"--set", "checks.effects={enabled: false}", "--seed", "1", "--json", "--out", t.TempDir())
			cmd.Env = append(os.Environ(), mutant.Variable+"="+name, mutant.StrikesVariable+"="+strikes)
			out, err := cmd.Output()
			r := &judge.Result{}
			require.NoError(t, json.Unmarshal(out, r), "%v", err)
			require.Equal(t, want, r.Verdict)
			n, err := mutant.Strikes(strikes)
			require.NoError(t, err)
			require.Equal(t, name != "", n > 0)
		})
	}
}

// SPDX-License-Identifier: Apache-2.0

//go:build monkey

package overlay

import (
	"context"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// notShown are edits whose absence testdata/crowd does not bring to light, by
// their File and the beginning of their Why.
var notShown = map[string]string{
	"runtime/mgc.go the same":       "it takes two minutes without a collection",
	"runtime/proc.go a P for which": "the P is taken up again a moment later, by whoever of the noise comes next",
	"runtime/stack.go a request":    "the watchdog has to be late by exactly this much",
}

func (e Edit) isShown() bool {
	for what := range notShown {
		file, why, _ := strings.Cut(what, " ")
		if e.File == file && strings.HasPrefix(e.Why, why) {
			return false
		}
	}
	return true
}

// TestEveryEditIsNeeded leaves the edits out one by one. It compiles the
// standard library as many times.
func TestEveryEditIsNeeded(t *testing.T) {
	whole, err := buildCrowd(t, edits)
	require.NoError(t, err)
	hold := []string{"CROWD_HOLD=1"}
	explore := []string{`CROWD_EXPLORE={"Preemptions":100,"Horizon":3000}`}
	explored, err := runCrowd(t, whole, explore, "1")
	require.NoError(t, err)
	load(t)
	for i, e := range edits {
		t.Run(e.File+": "+e.Why, func(t *testing.T) {
			binary, err := buildCrowd(t, slices.Delete(slices.Clone(edits), i, i+1))
			if err != nil {
				t.Log("the rest does not compile")
				return
			}
			lack := whatIsAmiss(t, binary)
			if held, err := runCrowd(t, binary, hold, "1"); lack == "" && (err != nil || held[0].Held == 0) {
				lack = "nobody is held"
			}
			if again, err := runCrowd(t, binary, explore, "1"); lack == "" && (err != nil || again[0].Fingerprint != explored[0].Fingerprint) {
				lack = "exploration goes another way"
			}
			t.Log("without it:", lack)
			if e.isShown() {
				require.NotEmpty(t, lack)
			}
		})
	}
}

// whatIsAmiss runs a crowd that is built with too few edits a few times.
func whatIsAmiss(t *testing.T, binary string) string {
	var first crowd
	for i := range 4 {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		err := exec.CommandContext(ctx, binary, "1").Run()
		cancel()
		if err != nil {
			return "it fails: " + err.Error()
		}
		all, err := runCrowd(t, binary, []string{processors[i%len(processors)]}, "1")
		if err != nil {
			return "it fails: " + err.Error()
		}
		c := all[0]
		if i == 0 {
			first = c
		}
		switch {
		case c.Fingerprint != first.Fingerprint:
			return "two executions differ"
		case c.Foreign > 0:
			return "goroutines of the bubble were woken from outside"
		case c.Collections == 0:
			return "no garbage was collected"
		case c.Host != "exact":
			return "the machine shows"
		case c.Goroutines < 100:
			return "goroutines were not numbered"
		}
	}
	return ""
}

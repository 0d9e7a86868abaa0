// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/drumbeat-raft/drumbeat/checker/invariant"
	"github.com/drumbeat-raft/drumbeat/monkey/judge"
	"github.com/drumbeat-raft/drumbeat/monkey/mutant"
)

// result is what became of a mutant in a scenario with one seed.
type result struct {
	Program  string   `json:"program"`
	Mutant   string   `json:"mutant"`
	Scenario string   `json:"scenario"`
	Seed     int      `json:"seed"`
	Found    bool     `json:"found"`
	Checks   []string `json:"checks,omitempty"` // that were violated
	Names    []string `json:"names,omitempty"`  // what the messages name of the culprit
	Message  string   `json:"message,omitempty"`
	Strikes  uint64   `json:"strikes"` // at least
	// Seconds of the run.
	Virtual float64 `json:"virtual_seconds"`
	Wall    float64 `json:"wall_seconds"`
}

// String is a line about the result.
func (r *result) String() string {
	if !r.Found {
		return fmt.Sprintf("%s, %s, seed %d: not found, %d strikes at least", r.Mutant, r.Scenario, r.Seed, r.Strikes)
	}
	return fmt.Sprintf("%s, %s, seed %d: found by %s after %.1f virtual minutes and %.0f s", r.Mutant, r.Scenario, r.Seed, strings.Join(r.Checks, ", "), r.Virtual/60, r.Wall)
}

// The scenarios that mutants are tried in, one after the other.
var (
	general = []string{
		"quickstart", "process-crash-loop", "network-deposed", "network-late", "load-lost-answers", "membership-stale-changes", "network-storm", "membership-storm", "load-slow-apply", "load-bank", "load-transactions", "process-pause",
		"process-upgrade",
		"process-blackout", "disk-stalls", "snapshot-kill", "snapshot-late", "membership-observers", "network-even", "network-half-open", "drummer-drain", "drummer-resize",
		"disk-flaky", "disk-journal", "disk-rot", "rack-blackout", "network-ring", "swarm",
	}
	drummers = []string{
		"quickstart", "fleet-life", "disk-lost-files", "disk-rot", "disk-old-copy", "drummer-places", "drummer-drain", "drummer-resize", "drummer-cut-off", "drummer-disk-wiped", "drummer-gray-hosts",
		"drummer-create-delete", "drummer-rolling-restart", "drummer-leader-mid-repair", "drummer-all-restarted", "drummer-mass-death",
		"drummer-replace-quietly", "drummer-replacement-dies", "drummer-restored", "swarm",
	}
)

func scenariosFor(m mutant.Mutant) []string {
	if m.Place == mutant.InDrummer {
		return drummers
	}
	return general
}

// try runs a scenario with a mutant on.
func try(ctx context.Context, program, dir string, m mutant.Mutant, scenario string, seed int) (*result, error) {
	run, strikes, err := runOne(ctx, program, dir, m, scenario, seed)
	if err != nil {
		return nil, err
	}
	r := &result{Program: sum(program), Mutant: m.Name, Scenario: scenario, Seed: seed, Strikes: strikes,
		Virtual: run.VirtualSeconds, Wall: run.WallSeconds, Found: run.Verdict == judge.Violation}
	if r.Found {
		r.blame(run)
	}
	return r, nil
}

// blame notes which checks were violated, and what their messages name.
func (r *result) blame(run *judge.Result) {
	for _, c := range run.Checks {
		if c.Verdict == invariant.Violation {
			if slices.Contains(r.Checks, c.Name) {
				continue // one finding a key
			}
			r.Checks = append(r.Checks, c.Name)
			r.Message = strings.TrimSpace(r.Message + " " + c.Detail)
		}
	}
	for _, e := range run.Expect {
		if e.Verdict == invariant.Violation && !slices.Contains(r.Checks, e.Name) {
			r.Checks = append(r.Checks, e.Name)
			r.Message = strings.TrimSpace(r.Message + " " + e.Detail)
		}
	}
	for _, c := range culprits {
		if c.in.MatchString(r.Message) {
			r.Names = append(r.Names, c.what)
		}
	}
	if len(r.Message) > 2000 {
		r.Message = r.Message[:2000] + "…"
	}
}

// culprits are what a message may name.
var culprits = []struct {
	what string
	in   *regexp.Regexp
}{
	{"cluster", regexp.MustCompile(`cluster \d+`)},
	{"node", regexp.MustCompile(`(node|replica|member|leader|observer) \d+`)},
	{"host", regexp.MustCompile(`(nodehost|drummer)-\d+`)},
	{"index", regexp.MustCompile(`index \d+`)},
	{"key", regexp.MustCompile(`key \S+`)},
}

// runOne runs a scenario with a mutant on, and counts its strikes.
func runOne(ctx context.Context, program, dir string, m mutant.Mutant, scenario string, seed int) (*judge.Result, uint64, error) {
	dir, err := os.MkdirTemp(dir, "run-")
	if err != nil {
		return nil, 0, err
	}
	defer os.RemoveAll(dir)
	strikes := filepath.Join(dir, "strikes")
	if strikes, err = filepath.Abs(strikes); err != nil {
		return nil, 0, err
	}
	cmd := exec.CommandContext(ctx, program, "run", scenario, "--seed", strconv.Itoa(seed), "--json", "--out", filepath.Join(dir, "runs"))
	cmd.Env = append(os.Environ(), mutant.Variable+"="+m.Name, mutant.StrikesVariable+"="+strikes)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		return nil, 0, err
	}
	r := &judge.Result{}
	if err := json.Unmarshal(out, r); err != nil {
		return nil, 0, fmt.Errorf("%w: %s", err, strings.TrimSpace(stderr.String()))
	}
	n, err := mutant.Strikes(strikes)
	return r, n, err
}

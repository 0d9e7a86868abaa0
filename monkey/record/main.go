// SPDX-License-Identifier: Apache-2.0

// Command record makes the histories in testdata/histories: it runs the monkey
// with many seeds, with and without planted bugs, and keeps what each cluster's
// clients saw, with verdicts that were confirmed by another way than the
// checker's own. It needs some minutes:
//
//	make histories
//
// A run is not exactly repeatable, so that the histories differ each time; the
// verdicts are stored with them.
package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/klauspost/compress/zstd"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear"
	"github.com/drumbeat-raft/drumbeat/checker/selftest/reference"
	_ "github.com/drumbeat-raft/drumbeat/monkey/statemachine/mutant" // registers the bugs
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

func main() {
	out := flag.String("out", "testdata/histories", "folder to write to")
	runs := flag.Int("runs", defaultRuns, "runs of the monkey; each gives a history a cluster")
	monkey := flag.String("monkey", "", "the monkey's program; default: go run ./cmd/monkey")
	flag.Parse()
	if err := record(context.Background(), *out, *runs, *monkey); err != nil {
		fmt.Fprintf(os.Stderr, "record: %v\n", err)
		os.Exit(1)
	}
}

// defaultRuns is how many runs there are, unless the command line says so.
const defaultRuns = 100

// clusters is the number of clusters of a run.
const clusters = 3

// plan is what one run does.
type plan struct {
	seed         int
	statemachine string
	bug          string // "" for none
	scenario     string
}

// plantable lists the registered bugs that a plain run can show: all but those
// that need the order of goroutines explored, or hosts that are upgraded.
func plantable() []string {
	var names []string
	for _, bug := range scenarios.BugKinds() {
		if !bug.Racy && !bug.Upgrade {
			names = append(names, bug.Name)
		}
	}
	return names
}

// plans returns what the runs do. Every second one has a bug; all of them have
// slow links, so that many operations are open at the same time, some also
// partitions and kills, so that outcomes are unknown.
func plans(runs int) []plan {
	kinds := []string{"regular", "concurrent", "ondisk"}
	mixes := []string{
		"{get: 45, put: 30, cas: 10, append: 10, delete: 5}",
		"{get: 50, put: 40, cas: 10, append: 0, delete: 0}",
		"{get: 30, put: 20, cas: 40, append: 0, delete: 10}",
	}
	faults := []string{
		"",
		"\n  - {kind: partition, target: nodehost, every: 5s, for: 1s..3s}",
		"\n  - {kind: kill, target: nodehost, every: 5s, for: 1s..3s}\n  - {kind: lossy, target: cluster-leader, every: 4s, for: 2s, drop: 20%}",
	}
	bugs := plantable()
	var all []plan
	for i := range runs {
		p := plan{seed: i + 1, statemachine: kinds[i%len(kinds)]}
		bug, fault := "", faults[i/2%len(faults)]
		if i%2 == 1 {
			p.bug = bugs[i/2%len(bugs)]
			every := 3 + i%7
			switch p.bug {
			case "lost-delete", "double-append":
				every = 2
			case "forget-snapshot": // there are few, and none without restarts
				every, fault = 1, faults[2]
			}
			bug = fmt.Sprintf(", bug: {kind: %s, every: %d, nodes: all}", p.bug, every)
		}
		mix := mixes[i/3%len(mixes)]
		if strings.HasSuffix(p.bug, "append") || strings.HasSuffix(p.bug, "delete") {
			mix = mixes[0]
		}
		p.scenario = fmt.Sprintf(`name: recorded
description: a history for the tests of the checker
duration: 12s
warmup: 3s
settle: 30s
deployment: {drummers: 1, nodehosts: 3, rtt: 10ms}
drummer: {heartbeat: 1s, time_to_live: 60s}
clusters: {count: %d, size: 3, statemachine: %s, snapshot_entries: 20, compaction_overhead: 5%s}
workload: {clients: %d, keys: %d, rate: %d, timeout: %dms, mix: %s}
faults:
  - {kind: delay, target: nodehost, every: 2s, for: 3s..6s, latency: %dms, jitter: %dms}
  - {kind: delay, target: cluster-leader, every: 4s, for: 3s..6s, latency: 40ms, jitter: 60ms}%s
checks: {linearizability: {stop: false}}
`, clusters, p.statemachine, bug, 8+i%5*8, 1+i%3, 24+i%4*8, 400+i%4*300, mix, 10+i%5*10, 20+i%3*40, fault)
		all = append(all, p)
	}
	return all
}

func record(ctx context.Context, out string, runs int, monkey string) error {
	dir, err := os.MkdirTemp("", "record-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	rows := [][]string{{"file", "verdict", "confirmed", "operations", "unknown", "overlapping", "statemachine", "bug", "seed"}}
	for _, p := range plans(runs) {
		ops, err := p.run(ctx, dir, monkey)
		if err != nil {
			return fmt.Errorf("seed %d: %w", p.seed, err)
		}
		for cluster := range uint64(clusters) {
			of := slices.DeleteFunc(slices.Clone(ops), func(op history.Op) bool { return op.Cluster != cluster+1 })
			row, err := p.keep(ctx, out, cluster+1, of)
			if err != nil {
				return fmt.Errorf("seed %d, cluster %d: %w", p.seed, cluster+1, err)
			}
			if row == nil {
				fmt.Printf("seed %d, cluster %d: not kept: no other way confirmed a verdict\n", p.seed, cluster+1)
				continue
			}
			rows = append(rows, row)
			fmt.Println(strings.Join(row, " "))
		}
	}
	return history.WriteFile(filepath.Join(out, "verdicts.csv"), func(w io.Writer) error {
		return csv.NewWriter(w).WriteAll(rows)
	})
}

// run lets the monkey run and returns the history.
func (p *plan) run(ctx context.Context, dir, monkey string) ([]history.Op, error) {
	scenario, out := filepath.Join(dir, "recorded.yaml"), filepath.Join(dir, fmt.Sprint("run-", p.seed))
	if err := os.WriteFile(scenario, []byte(p.scenario), 0o600); err != nil {
		return nil, err
	}
	args := []string{"run", scenario, "--seed", fmt.Sprint(p.seed), "--out", out, "--json"}
	cmd := exec.CommandContext(ctx, monkey, args...)
	if monkey == "" {
		cmd = exec.CommandContext(ctx, "go", append([]string{"run", "./cmd/monkey"}, args...)...)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	var exit *exec.ExitError
	const invalid = 64 // exit codes from here on are no verdicts
	if err := cmd.Run(); err != nil && (!errors.As(err, &exit) || exit.ExitCode() >= invalid) {
		return nil, fmt.Errorf("%v: %w\n%s\n%s", cmd.Args, err, stderr.String(), p.scenario)
	}
	run, err := history.ReadRun(filepath.Join(out, "latest"))
	if err != nil {
		return nil, err
	}
	return run.Ops, os.RemoveAll(out)
}

// keep stores a history and returns its row; nil if its verdict could not be
// confirmed.
func (p *plan) keep(ctx context.Context, out string, cluster uint64, ops []history.Op) ([]string, error) {
	verdict, confirmed, err := confirm(ctx, ops)
	if err != nil || confirmed == "" {
		return nil, err
	}
	bug := p.bug
	if bug == "" {
		bug = "none"
	}
	name := fmt.Sprintf("%03d-%d-%s-%s.jsonl.zst", p.seed, cluster, p.statemachine, bug)
	var text bytes.Buffer
	if err := history.WriteJSONL(&text, ops); err != nil {
		return nil, err
	}
	zw, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression))
	if err != nil {
		return nil, err
	}
	defer zw.Close()
	if err := os.WriteFile(filepath.Join(out, name), zw.EncodeAll(text.Bytes(), nil), 0o644); err != nil {
		return nil, err
	}
	unknown := 0
	for i := range ops {
		if ops[i].Outcome == history.Unknown {
			unknown++
		}
	}
	return []string{name, string(verdict), confirmed, fmt.Sprint(len(ops)), fmt.Sprint(unknown), fmt.Sprintf("%.0f%%", 100*overlapping(ops)), p.statemachine, bug, fmt.Sprint(p.seed)}, nil
}

// tryLimit is how long the checker and porcupine may each try a history.
const tryLimit = 10 * time.Second

// confirm judges a history, and has the verdict confirmed: by porcupine, or, if
// that gives up, by what stands for the verdict: the order of an ok, which is
// replayed, or the core of a violation, which porcupine judges. confirmed is ""
// if nothing did.
func confirm(ctx context.Context, ops []history.Op) (v linear.Verdict, confirmed string, err error) {
	res, err := linear.Check(ctx, ops, linear.Options{Certify: true, Timeout: tryLimit})
	if err != nil || res.Verdict == linear.Unknown {
		return res.Verdict, "", err
	}
	switch theirs := porcupineSays(ops); {
	case theirs == res.Verdict:
		return res.Verdict, "porcupine", nil
	case theirs != linear.Unknown:
		return "", "", fmt.Errorf("the checker says %s (%s), porcupine %s", res.Verdict, res.Explanation, theirs)
	case res.Verdict == linear.OK:
		return res.Verdict, "order", nil
	case porcupineSays(res.Core) == linear.Violation:
		return res.Verdict, "core", nil
	}
	return res.Verdict, "", nil
}

func porcupineSays(ops []history.Op) linear.Verdict {
	switch porcupine.CheckOperationsTimeout(reference.Model(), reference.Operations(ops), tryLimit) {
	case porcupine.Ok:
		return linear.OK
	case porcupine.Illegal:
		return linear.Violation
	}
	return linear.Unknown
}

// overlapping returns the share of the operations with outcome ok that overlap
// another operation on their key.
func overlapping(ops []history.Op) float64 {
	ok, overlap := 0, 0
	for i := range ops {
		a := &ops[i]
		if a.Outcome != history.OK {
			continue
		}
		ok++
		if slices.ContainsFunc(ops, func(b history.Op) bool {
			return b.ID != a.ID && b.Key == a.Key && b.Outcome != history.Fail && b.Call < a.Return && a.Call < b.End()
		}) {
			overlap++
		}
	}
	return float64(overlap) / float64(max(ok, 1))
}

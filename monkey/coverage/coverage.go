// SPDX-License-Identifier: Apache-2.0

// Package coverage counts which kinds of fault met which kinds of state machine
// and which of Dragonboat's options in runs: what a number of passes says of them
// together.
package coverage

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/drumbeat-raft/drumbeat/monkey/judge"
	"github.com/drumbeat-raft/drumbeat/monkey/rundir"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// kinds are those of state machines.
var kinds = []string{"regular", "concurrent", "ondisk"}

// Table counts meetings. The zero value has seen no run.
type Table struct {
	runs int
	met  map[meeting]int // in how many runs
	// struck counts the runs in which a kind of fault took effect at all.
	struck map[string]int
}

type meeting struct{ fault, kind, option string }

// Add counts a run. A fault counts if it took effect.
func (t *Table) Add(s *scenarios.Scenario, r *judge.Result) {
	if t.met == nil {
		t.met, t.struck = map[meeting]int{}, map[string]int{}
	}
	t.runs++
	seen := map[string]bool{}
	for _, f := range r.Faults {
		if f.Effect == 0 || seen[f.Kind] {
			continue
		}
		seen[f.Kind] = true
		t.struck[f.Kind]++
		for _, kind := range kinds {
			if s.Clusters.StateMachine != kind && s.Clusters.StateMachine != "mixed" {
				continue
			}
			for _, option := range scenarios.Options(s) {
				t.met[meeting{f.Kind, kind, option}]++
			}
		}
	}
}

// Struck says in how many of a number of runs kinds of fault took effect.
type Struck struct {
	Runs   int            `json:"runs"`
	Faults map[string]int `json:"faults"` // by kind
}

// Struck returns what is known of all runs.
func (t *Table) Struck() Struck { return Struck{t.runs, t.struck} }

// AddDir counts the runs whose directories are dir or in it. A run that left no
// result, because it was killed, does not count.
func (t *Table) AddDir(dir string) error {
	results, err := filepath.Glob(filepath.Join(dir, "*", rundir.ResultFile))
	if err != nil {
		return err
	}
	if own := filepath.Join(dir, rundir.ResultFile); exists(own) {
		results = append(results, own)
	}
	slices.Sort(results)
	seen := map[string]bool{}
	for _, file := range results {
		run, err := filepath.EvalSymlinks(filepath.Dir(file)) // 'latest' is one of the others
		if err != nil || seen[run] {
			continue
		}
		seen[run] = true
		var r judge.Result
		if err := rundir.ReadJSON(run, rundir.ResultFile, &r); err != nil {
			return err
		}
		s, err := scenarios.ParseFile(filepath.Join(run, rundir.ScenarioFile))
		if err != nil {
			return err
		}
		t.Add(s, &r)
	}
	if len(seen) == 0 {
		return fmt.Errorf("%s has no directory of a run with a %s", dir, rundir.ResultFile)
	}
	return nil
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// Row sums up what a kind of fault met.
type Row struct {
	Fault string
	Runs  int // in which it took effect
	// Possible counts the pairs of a kind of state machine and an option that it
	// can meet, Met those that it met, and Enough those that it met often enough.
	Possible, Met, Enough int
	// Rarest is the pair that it met in the fewest runs, RarestRuns.
	Rarest     string
	RarestRuns int
}

// Rows sums up, in order of the names, what every kind of fault met that a swarm
// draws. Least is how many runs are enough.
func (t *Table) Rows(least int) []Row {
	var rows []Row
	for _, fault := range scenarios.FaultKinds() {
		if fault.Draw == nil {
			continue
		}
		row := Row{Fault: fault.Name, Runs: t.struck[fault.Name], RarestRuns: -1}
		for _, kind := range kinds {
			for _, option := range scenarios.AllOptions() {
				if fault.LosesDisk && scenarios.WithoutMaster(option) {
					continue
				}
				n := t.met[meeting{fault.Name, kind, option}]
				row.Possible++
				if n > 0 {
					row.Met++
				}
				if n >= least {
					row.Enough++
				}
				if row.RarestRuns < 0 || n < row.RarestRuns {
					row.Rarest, row.RarestRuns = kind+", "+strings.TrimPrefix(option, "clusters."), n
				}
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// Write prints the rows as a table, and their sum.
func (t *Table) Write(w io.Writer, least int) error {
	rows := t.Rows(least)
	var all Row
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "fault\truns\tmet\tat least %d times\tof\trarest\n", least)
	for _, r := range rows {
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t%s: %d\n", r.Fault, r.Runs, r.Met, r.Enough, r.Possible, r.Rarest, r.RarestRuns)
		all.Possible, all.Met, all.Enough = all.Possible+r.Possible, all.Met+r.Met, all.Enough+r.Enough
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%d runs: of %d meetings of a fault, a kind of state machine and an option of Dragonboat %d happened, %d at least %d times (%.0f %%)\n",
		t.runs, all.Possible, all.Met, all.Enough, least, 100*float64(all.Enough)/float64(cmp.Or(all.Possible, 1)))
	return err
}

// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/drumbeat-raft/drumbeat/cmd/internal/program"
	"github.com/drumbeat-raft/drumbeat/monkey/bench"
	"github.com/drumbeat-raft/drumbeat/monkey/harness"
)

// benchScenarios are measured when none is named.
var benchScenarios = []string{"quickstart", "reference"}

func benchCommand(code *int) *cobra.Command {
	f := runFlags{world: harness.WorldSim, clock: harness.ClockVirtual}
	cmd := &cobra.Command{
		Use:   "bench [SCENARIO.yaml…]",
		Short: "Measure what simulations cost, and which part of the system takes it (default: quickstart and reference)",
		RunE: func(cmd *cobra.Command, files []string) error {
			if len(files) == 0 {
				files = benchScenarios
			}
			if err := prepare(cmd.Context(), &f, files); err != nil {
				return err
			}
			var measured []*bench.Measurement
			for _, file := range files {
				o, err := f.options(file)
				if err != nil {
					return err
				}
				bar := newProgress(os.Stderr)
				o.Progress = bar.show
				m, err := bench.Measure(cmd.Context(), o)
				bar.end()
				if err != nil {
					return withCode(err)
				}
				measured = append(measured, m)
				*code = program.Worse(*code, exitCode(m.Verdict))
			}
			fmt.Fprintln(cmd.OutOrStdout())
			return bench.Table(cmd.OutOrStdout(), measured)
		},
	}
	cmd.Args = cobra.ArbitraryArgs
	fs := cmd.Flags()
	fs.StringVar(&f.seed, "seed", "1", "number that fixes the schedule of faults and operations")
	fs.DurationVar(&f.duration, "duration", 0, "length of the phase with faults (default: the scenario's)")
	fs.StringVar(&f.out, "out", "runs", "directory for the directories of runs")
	fs.StringArrayVar(&f.sets, "set", nil, "override a field of the scenarios, path=value; repeatable")
	fs.BoolVar(&f.exact, "exact", false, "measure runs that are repeatable to the last decision of the scheduler")
	return cmd
}

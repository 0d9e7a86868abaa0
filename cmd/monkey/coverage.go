// SPDX-License-Identifier: Apache-2.0

package main

import (
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/drumbeat-raft/drumbeat/cmd/internal/program"
	"github.com/drumbeat-raft/drumbeat/monkey/coverage"
	"github.com/drumbeat-raft/drumbeat/monkey/rundir"
)

func coverageCommand() *cobra.Command {
	least, struck := 20, ""
	cmd := &cobra.Command{
		Use:   "coverage DIR…",
		Short: "Say which faults met which kinds of state machine and options of Dragonboat in runs, whose directories are DIR or in it",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, dirs []string) error {
			if least < 1 {
				return program.Usagef("--least %d: expected a number of runs, 1 or more", least)
			}
			var t coverage.Table
			for _, dir := range dirs {
				if err := t.AddDir(dir); err != nil {
					return program.Usage(err)
				}
			}
			if struck != "" {
				if err := rundir.WriteJSON(filepath.Dir(struck), filepath.Base(struck), t.Struck()); err != nil {
					return err
				}
			}
			return t.Write(cmd.OutOrStdout(), least)
		},
	}
	cmd.Flags().IntVar(&least, "least", least, "in how many runs two should have met")
	cmd.Flags().StringVar(&struck, "struck", "", "also write to this `file` in how many runs each fault took effect, as docs/swarm-struck.json has it for docs/faults.md")
	return cmd
}

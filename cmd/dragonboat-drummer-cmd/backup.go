// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/drumbeat-raft/drumbeat/cmd/internal/program"
	"github.com/drumbeat-raft/drumbeat/drummer/client"
	"github.com/drumbeat-raft/drumbeat/drummer/db"
)

// backup writes DrummerDB to a file, once it has read what it was sent.
func (t *tool) backup() *cobra.Command {
	return &cobra.Command{
		Use: "backup FILE", Short: "Write a backup of DrummerDB, as of now, to a new file", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.with(cmd, func(ctx context.Context, c *client.Client) error {
				data, err := c.Backup(ctx)
				if err != nil {
					return err
				}
				text, err := describeBackup(data)
				if err != nil {
					return fmt.Errorf("what was sent can't be restored: %w", err)
				}
				if err := program.WriteNew(args[0], data); err != nil {
					return program.Usage(err)
				}
				return t.say("wrote %s: %s", args[0], text)
			})
		},
	}
}

// restore gives new servers a backup, or only says what is in it.
func (t *tool) restore() *cobra.Command {
	var check bool
	cmd := &cobra.Command{
		Use: "restore FILE", Short: "Give new Drummer servers, in which nothing is defined, the state of a backup, and pause them", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			data, err := os.ReadFile(args[0])
			if err != nil {
				return program.Usage(err)
			}
			text, err := describeBackup(data)
			if err != nil {
				return program.Usagef("%s can't be restored: %v", args[0], err)
			}
			if check {
				return t.say("%s is whole: %s", args[0], text)
			}
			return t.with(cmd, func(ctx context.Context, c *client.Client) error {
				if err := c.Restore(ctx, t.by, data); err != nil {
					return err
				}
				return t.say("restored: %s. Drummer is paused; see that `nodehosts` shows the fleet and `clusters` what you expect, then `resume`", text)
			})
		},
	}
	cmd.Flags().BoolVar(&check, "check", false, "only read the file and say what is in it; needs no server")
	return cmd
}

func describeBackup(data []byte) (string, error) {
	state, err := db.DecodeBackup(data)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("deployment %d, epoch %d, index %d, %d clusters, %d NodeHosts, digest %v",
		state.DeploymentID, state.DeploymentEpoch, state.Index, state.Clusters.Len(), state.Hosts.Len(), db.DigestOf(state)), nil
}

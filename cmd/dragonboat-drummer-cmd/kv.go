// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/drumbeat-raft/drumbeat/cmd/internal/program"
	"github.com/drumbeat-raft/drumbeat/drummer/client"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
)

// kv talks to the applications that cmd/nodehost has bundled.
func (t *tool) kv() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "kv",
		Short: "Read and write clusters of the bundled key-value applications",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return program.Usage(errors.New("name get, put or delete"))
		},
	}
	cmd.AddCommand(
		&cobra.Command{
			Use: "put CLUSTER KEY VALUE", Short: "Write a key", Args: cobra.ExactArgs(3),
			RunE: func(cmd *cobra.Command, args []string) error {
				return t.write(cmd, args[0], kv.Command{Op: kv.Put, Key: args[1], Value: kv.Some(args[2])})
			},
		},
		&cobra.Command{
			Use: "delete CLUSTER KEY", Short: "Remove a key", Args: cobra.ExactArgs(2),
			RunE: func(cmd *cobra.Command, args []string) error {
				return t.write(cmd, args[0], kv.Command{Op: kv.Delete, Key: args[1]})
			},
		},
		&cobra.Command{
			Use: "get CLUSTER KEY", Short: "Read a key, linearizably", Args: cobra.ExactArgs(2),
			RunE: func(cmd *cobra.Command, args []string) error { return t.read(cmd, args[0], args[1]) },
		},
	)
	return cmd
}

func clusterID(text string) (uint64, error) {
	id, err := strconv.ParseUint(text, 10, 64)
	if err != nil || id == 0 {
		return 0, program.Usagef("%q is no cluster ID", text)
	}
	return id, nil
}

func (t *tool) write(cmd *cobra.Command, cluster string, command kv.Command) error {
	id, err := clusterID(cluster)
	if err != nil {
		return err
	}
	return t.with(cmd, func(ctx context.Context, c *client.Client) error {
		out, err := c.Propose(ctx, id, command.Encode())
		if err != nil {
			return fmt.Errorf("%w (the write's outcome is: %s)", err, client.OutcomeOf(err))
		}
		answer, err := kv.DecodeAnswer(out.GetData())
		if err != nil {
			return err
		}
		if answer.Status != kv.OK {
			return fmt.Errorf("cluster %d answers %v", id, answer.Status)
		}
		return t.say("written to cluster %d", id)
	})
}

func (t *tool) read(cmd *cobra.Command, cluster, key string) error {
	id, err := clusterID(cluster)
	if err != nil {
		return err
	}
	return t.with(cmd, func(ctx context.Context, c *client.Client) error {
		data, err := c.Read(ctx, id, kv.GetQuery(key))
		if err != nil {
			return err
		}
		answer, err := kv.DecodeAnswer(data)
		if err != nil {
			return err
		}
		if answer.Status != kv.OK {
			return fmt.Errorf("cluster %d answers %v", id, answer.Status)
		}
		if !answer.Observed.Value.Present {
			return t.say("nothing is there")
		}
		return t.say("%s", answer.Observed.Value.Text)
	})
}

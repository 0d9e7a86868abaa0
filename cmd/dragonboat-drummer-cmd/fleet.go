// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/drumbeat-raft/drumbeat/cmd/internal/program"
	"github.com/drumbeat-raft/drumbeat/drummer/client"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// one is a command that does one thing and says so.
func (t *tool) one(use, short string, args cobra.PositionalArgs, done string, do func(context.Context, *client.Client, []string) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: args,
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.with(cmd, func(ctx context.Context, c *client.Client) error {
				if err := do(ctx, c, args); err != nil {
					return err
				}
				return t.say("%s", done)
			})
		},
	}
}

func (t *tool) delete() *cobra.Command {
	var sure bool
	cmd := t.one("delete IDS", "Delete clusters and their data, for good", cobra.ExactArgs(1), "deleted",
		func(ctx context.Context, c *client.Client, args []string) error {
			ids, err := parseIDs(args[0])
			if err != nil {
				return program.Usage(err)
			}
			if !sure {
				return program.Usagef("this removes the data of %d clusters for good; say --yes to do it", len(ids))
			}
			return c.DeleteClusters(ctx, t.by, ids...)
		})
	cmd.Flags().BoolVar(&sure, "yes", false, "do it")
	return cmd
}

func (t *tool) hostMode(name, short string, mode pb.HostMode) *cobra.Command {
	var force bool
	cmd := t.one(name+" HOST", short+"; HOST is a NodeHost ID or a RaftAddress", cobra.ExactArgs(1), "done",
		func(ctx context.Context, c *client.Client, args []string) error {
			return c.SetHostMode(ctx, t.by, args[0], mode, force)
		})
	if mode == pb.HostMode_DRAIN {
		cmd.Flags().BoolVar(&force, "force", false, "also when it leaves a cluster without a place")
	}
	return cmd
}

func (t *tool) forget() *cobra.Command {
	return t.one("forget NODEHOST", "Drop a NodeHost, by its ID, that is dead or gone and has no members", cobra.ExactArgs(1), "forgotten",
		func(ctx context.Context, c *client.Client, args []string) error {
			return c.ForgetHost(ctx, t.by, args[0])
		})
}

func (t *tool) pause() *cobra.Command {
	return t.one("pause REASON", "Stop all new decisions of Drummer", cobra.ExactArgs(1), "paused",
		func(ctx context.Context, c *client.Client, args []string) error { return c.Pause(ctx, t.by, args[0]) })
}

func (t *tool) resume() *cobra.Command {
	return t.one("resume", "End a pause", cobra.NoArgs, "Drummer goes on",
		func(ctx context.Context, c *client.Client, _ []string) error { return c.Resume(ctx, t.by) })
}

func (t *tool) dryRun() *cobra.Command {
	var drain []string
	var remove, define string
	var launched, resumed bool
	var at uint64
	cmd := &cobra.Command{
		Use:   "dry-run",
		Short: "Show what Drummer would do next, now or after what the flags say, and do nothing; or what it decided at a past index",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			req := &pb.DryRunRequest{Launched: launched, Resumed: resumed, Drain: drain, AtIndex: at}
			var err error
			if remove != "" {
				if req.Delete, err = parseIDs(remove); err != nil {
					return program.Usage(err)
				}
			}
			if define != "" {
				wanted, err := readDefinitions(define, cmd.InOrStdin())
				if err != nil {
					return program.Usage(err)
				}
				req.Define = newSpecs(wanted)
			}
			return t.with(cmd, func(ctx context.Context, c *client.Client) error {
				out, err := c.DryRun(ctx, req)
				if err != nil {
					return err
				}
				return t.show(out, "WHAT CLUSTER NODE NODEHOST WHY", dryRows(out))
			})
		},
	}
	cmd.Flags().StringSliceVar(&drain, "drain", nil, "NodeHosts drained, by ID or RaftAddress")
	cmd.Flags().StringVar(&remove, "delete", "", "clusters deleted, as 7, 1-6 or 1-6,9")
	cmd.Flags().StringVar(&define, "define", "", "file of clusters defined")
	cmd.Flags().BoolVar(&launched, "launch", false, "launched")
	cmd.Flags().BoolVar(&resumed, "resume", false, "not paused")
	cmd.Flags().Uint64Var(&at, "at", 0, "recompute what was decided from DrummerDB's state at this index, as operations and events name it")
	return cmd
}

func dryRows(out *pb.DryRunResponse) [][]string {
	var rows [][]string
	for _, o := range out.GetObjections() {
		rows = append(rows, []string{"OBJECTION", number(o.GetClusterId()), "-", "-", o.GetFor()})
	}
	for _, op := range out.GetOperations() {
		r := op.GetRequest()
		rows = append(rows, []string{strings.ToLower(r.GetKind().String()), number(r.GetClusterId()), number(r.GetNodeId()), r.GetNodehostId(), op.GetReason()})
	}
	for _, w := range out.GetWaiting() {
		rows = append(rows, []string{"waits", number(w.GetClusterId()), "-", "-", w.GetFor()})
	}
	return rows
}

// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/drumbeat-raft/drumbeat/cmd/internal/program"
	"github.com/drumbeat-raft/drumbeat/drummer/client"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// maxDefined bounds the clusters of one define.
const maxDefined = 100_000

func (t *tool) define() *cobra.Command {
	return t.specCommand("define", "Define clusters, from a YAML file (- is standard input) or from flags", "clusters defined: %d",
		func(ctx context.Context, c *client.Client, wanted []definition) ([]*pb.ClusterSpec, error) {
			specs := newSpecs(wanted)
			return specs, c.Define(ctx, t.by, specs...)
		})
}

func (t *tool) update() *cobra.Command {
	return t.specCommand("update", "Change the size, placement or Raft configuration of clusters; what is not given stays as it is", "clusters updated: %d",
		func(ctx context.Context, c *client.Client, wanted []definition) ([]*pb.ClusterSpec, error) {
			present, err := presentSpecs(ctx, c, wanted)
			if err != nil {
				return nil, err
			}
			var specs []*pb.ClusterSpec
			for _, d := range wanted {
				for _, id := range d.ids {
					if present[id] == nil {
						return nil, status.Errorf(codes.NotFound, "cluster %d is not defined", id)
					}
					specs = append(specs, d.on(proto.Clone(present[id]).(*pb.ClusterSpec)))
				}
			}
			return specs, c.UpdateClusters(ctx, t.by, specs...)
		})
}

// presentSpecs asks for what clusters are defined to be.
func presentSpecs(ctx context.Context, c *client.Client, wanted []definition) (map[uint64]*pb.ClusterSpec, error) {
	var ids []uint64
	for _, d := range wanted {
		ids = append(ids, d.ids...)
	}
	out, err := c.Locate(ctx, ids...)
	if err != nil {
		return nil, err
	}
	specs := map[uint64]*pb.ClusterSpec{}
	for _, cluster := range out.GetClusters() {
		specs[cluster.GetClusterId()] = cluster.GetSpec()
	}
	return specs, nil
}

// specCommand is a command that takes definitions and makes specifications of
// them.
func (t *tool) specCommand(name, short, done string, do func(context.Context, *client.Client, []definition) ([]*pb.ClusterSpec, error)) *cobra.Command {
	var flags definitionFlags
	cmd := &cobra.Command{
		Use:   name + " [FILE]",
		Short: short,
		Example: fmt.Sprintf(`  dragonboat-drummer-cmd %[1]s clusters.yaml
  dragonboat-drummer-cmd %[1]s --ids 1-6 --application kv --size 3`, name),
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			wanted, err := definitionsOf(cmd, args, &flags)
			if err != nil {
				return program.Usage(err)
			}
			return t.with(cmd, func(ctx context.Context, c *client.Client) error {
				specs, err := do(ctx, c, wanted)
				if err != nil {
					return err
				}
				return t.say(done, len(specs))
			})
		},
	}
	flags.add(cmd, name == "define")
	return cmd
}

// definitionsOf reads them from the file in args, or from flags.
func definitionsOf(cmd *cobra.Command, args []string, flags *definitionFlags) ([]definition, error) {
	if len(args) == 0 {
		d, err := flags.definition(cmd)
		return []definition{d}, err
	}
	if flags.ids != "" {
		return nil, errors.New("give a file or flags, not both")
	}
	return readDefinitions(args[0], cmd.InOrStdin())
}

// parseIDs reads cluster IDs and ranges of them.
func parseIDs(text string) ([]uint64, error) {
	var ids []uint64
	for _, part := range splitList(text) {
		first, last, isRange := strings.Cut(part, "-")
		from, err := strconv.ParseUint(first, 10, 64)
		to := from
		if err == nil && isRange {
			to, err = strconv.ParseUint(last, 10, 64)
		}
		if err != nil || from == 0 || to < from {
			return nil, fmt.Errorf("%q is no cluster ID and no range of them, such as 7 or 1-6", part)
		}
		if to-from >= maxDefined || len(ids) > maxDefined {
			return nil, fmt.Errorf("%q: more than %d clusters at once", part, maxDefined)
		}
		for id := from; ; id++ {
			ids = append(ids, id)
			if id == to {
				break
			}
		}
	}
	if len(ids) == 0 {
		return nil, errors.New("ids is missing; give cluster IDs, as 7, 1-6 or 1-6,9")
	}
	return ids, nil
}

// splitList splits at commas and drops empty parts.
func splitList(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}

func (t *tool) launch() *cobra.Command {
	return &cobra.Command{
		Use:   "launch",
		Short: "Start all defined clusters, and those that are defined later",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return t.with(cmd, func(ctx context.Context, c *client.Client) error {
				if err := c.Launch(ctx, t.by); err != nil {
					return err
				}
				return t.say("launched")
			})
		},
	}
}

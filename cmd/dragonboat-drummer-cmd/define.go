// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/drumbeat-raft/drumbeat/cmd/internal/program"
	"github.com/drumbeat-raft/drumbeat/drummer/client"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// maxDefined bounds the clusters of one define.
const maxDefined = 100_000

// definitions is a file of cluster specifications.
type definitions struct {
	Clusters []definition `yaml:"clusters"`
}

// definition describes one cluster or, with a range, many alike.
type definition struct {
	IDs         string            `yaml:"ids"` // "7", "1-6" or "1-6,9"
	Application string            `yaml:"application"`
	Size        uint32            `yaml:"size"`
	Regions     map[string]uint32 `yaml:"regions"`
	// RequiredLabels, PreferredLabels and SpreadOver say on which hosts.
	RequiredLabels  map[string]string `yaml:"required_labels"`
	PreferredLabels map[string]string `yaml:"preferred_labels"`
	SpreadOver      string            `yaml:"spread_over"`
	Raft            raft              `yaml:"raft"`
}

type raft struct {
	ElectionRTT        uint64 `yaml:"election_rtt"`
	HeartbeatRTT       uint64 `yaml:"heartbeat_rtt"`
	SnapshotEntries    uint64 `yaml:"snapshot_entries"`
	CompactionOverhead uint64 `yaml:"compaction_overhead"`
	MaxInMemLogSize    uint64 `yaml:"max_in_mem_log_size"`
	Quiesce            bool   `yaml:"quiesce"`
}

func (t *tool) define() *cobra.Command {
	return t.specCommand("define", "Define clusters, from a YAML file (- is standard input) or from flags", "clusters defined: %d",
		func(ctx context.Context, c *client.Client, specs []*pb.ClusterSpec) error {
			return c.Define(ctx, specs...)
		})
}

func (t *tool) update() *cobra.Command {
	return t.specCommand("update", "Change the size, placement or Raft configuration of clusters; what is not given takes its default", "clusters updated: %d",
		func(ctx context.Context, c *client.Client, specs []*pb.ClusterSpec) error {
			return c.UpdateClusters(ctx, t.by, specs...)
		})
}

// specCommand is a command that takes specifications.
func (t *tool) specCommand(name, short, done string, do func(context.Context, *client.Client, []*pb.ClusterSpec) error) *cobra.Command {
	var flags definition
	var regions map[string]string
	cmd := &cobra.Command{
		Use:   name + " [FILE]",
		Short: short,
		Example: fmt.Sprintf(`  dragonboat-drummer-cmd %[1]s clusters.yaml
  dragonboat-drummer-cmd %[1]s --ids 1-6 --application kv --size 3`, name),
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			specs, err := t.specs(cmd, args, flags, regions)
			if err != nil {
				return program.UsageError{Err: err}
			}
			return t.with(cmd, func(ctx context.Context, c *client.Client) error {
				if err := do(ctx, c, specs); err != nil {
					return err
				}
				return t.say(done, len(specs))
			})
		},
	}
	cmd.Flags().StringVar(&flags.IDs, "ids", "", "cluster IDs, as 7, 1-6 or 1-6,9")
	cmd.Flags().StringVar(&flags.Application, "application", "", "application in the NodeHosts' registries")
	cmd.Flags().Uint32Var(&flags.Size, "size", 3, "number of voting members")
	cmd.Flags().StringToStringVar(&regions, "region", nil, "members a region, as name=count")
	cmd.Flags().StringToStringVar(&flags.RequiredLabels, "require", nil, "labels that a host must have, as key=value")
	cmd.Flags().StringToStringVar(&flags.PreferredLabels, "prefer", nil, "labels that make a host the better choice, as key=value")
	cmd.Flags().StringVar(&flags.SpreadOver, "spread-over", "", "label whose values are failure domains, such as zone or rack")
	return cmd
}

func (t *tool) specs(cmd *cobra.Command, args []string, flags definition, regions map[string]string) ([]*pb.ClusterSpec, error) {
	if len(args) == 0 {
		flags.Regions = map[string]uint32{}
		for region, count := range regions {
			n, err := strconv.ParseUint(count, 10, 32)
			if err != nil {
				return nil, fmt.Errorf("--region %s=%s: the count is not a number", region, count)
			}
			flags.Regions[region] = uint32(n)
		}
		return flags.specs()
	}
	if flags.IDs != "" {
		return nil, errors.New("give a file or flags, not both")
	}
	return readDefinitions(args[0], cmd.InOrStdin())
}

func readDefinitions(path string, stdin io.Reader) ([]*pb.ClusterSpec, error) {
	const maxFile = 64 << 20
	in := stdin
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer func() { _ = file.Close() }()
		in = file
	}
	data, err := io.ReadAll(io.LimitReader(in, maxFile))
	if err != nil {
		return nil, err
	}
	var file definitions
	if err := program.Parse(path, data, &file); err != nil {
		return nil, err
	}
	var specs []*pb.ClusterSpec
	for i, d := range file.Clusters {
		more, err := d.specs()
		if err != nil {
			return nil, fmt.Errorf("%s: entry %d of clusters: %w", path, i+1, err)
		}
		if specs = append(specs, more...); len(specs) > maxDefined {
			return nil, fmt.Errorf("%s: more than %d clusters at once", path, maxDefined)
		}
	}
	if len(specs) == 0 {
		return nil, fmt.Errorf("%s: no clusters", path)
	}
	return specs, nil
}

func (d definition) specs() ([]*pb.ClusterSpec, error) {
	ids, err := parseIDs(d.IDs)
	if err != nil {
		return nil, err
	}
	specs := make([]*pb.ClusterSpec, 0, len(ids))
	for _, id := range ids {
		specs = append(specs, &pb.ClusterSpec{
			ClusterId:   id,
			Application: d.Application,
			Size:        d.Size,
			Regions:     d.Regions,

			RequiredLabels:  d.RequiredLabels,
			PreferredLabels: d.PreferredLabels,
			SpreadOver:      d.SpreadOver,
			Raft: &pb.RaftConfig{
				ElectionRtt:        d.Raft.ElectionRTT,
				HeartbeatRtt:       d.Raft.HeartbeatRTT,
				SnapshotEntries:    d.Raft.SnapshotEntries,
				CompactionOverhead: d.Raft.CompactionOverhead,
				MaxInMemLogSize:    d.Raft.MaxInMemLogSize,
				CheckQuorum:        true,
				Quiesce:            d.Raft.Quiesce,
			},
		})
	}
	return specs, nil
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
				if err := c.Launch(ctx); err != nil {
					return err
				}
				return t.say("launched")
			})
		},
	}
}

// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/drumbeat-raft/drumbeat/cmd/internal/program"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// definitions is a file of cluster specifications.
type definitions struct {
	Clusters []definition `yaml:"clusters"`
}

// definition describes one cluster or, with a range, many alike. What is nil was
// not given.
type definition struct {
	IDs         string             `yaml:"ids"` // "7", "1-6" or "1-6,9"
	Application *string            `yaml:"application"`
	Size        *uint32            `yaml:"size"`
	Regions     *map[string]uint32 `yaml:"regions"`
	// RequiredLabels, PreferredLabels and SpreadOver say on which hosts.
	RequiredLabels  *map[string]string `yaml:"required_labels"`
	PreferredLabels *map[string]string `yaml:"preferred_labels"`
	SpreadOver      *string            `yaml:"spread_over"`
	Raft            raft               `yaml:"raft"`

	ids []uint64 // of IDs
}

type raft struct {
	ElectionRTT        *uint64 `yaml:"election_rtt"`
	HeartbeatRTT       *uint64 `yaml:"heartbeat_rtt"`
	SnapshotEntries    *uint64 `yaml:"snapshot_entries"`
	CompactionOverhead *uint64 `yaml:"compaction_overhead"`
	MaxInMemLogSize    *uint64 `yaml:"max_in_mem_log_size"`
	CheckQuorum        *bool   `yaml:"check_quorum"`
	Quiesce            *bool   `yaml:"quiesce"`
	CompressEntries    *bool   `yaml:"compress_entries"`
	CompressSnapshots  *bool   `yaml:"compress_snapshots"`
}

// newSpecs are the specifications of clusters that are defined now.
func newSpecs(wanted []definition) []*pb.ClusterSpec {
	var specs []*pb.ClusterSpec
	for _, d := range wanted {
		for _, id := range d.ids {
			specs = append(specs, d.on(&pb.ClusterSpec{ClusterId: id}))
		}
	}
	return specs
}

// on writes what is given into a specification, and returns it.
func (d *definition) on(spec *pb.ClusterSpec) *pb.ClusterSpec {
	set(&spec.Application, d.Application)
	set(&spec.Size, d.Size)
	set(&spec.Regions, d.Regions)
	set(&spec.RequiredLabels, d.RequiredLabels)
	set(&spec.PreferredLabels, d.PreferredLabels)
	set(&spec.SpreadOver, d.SpreadOver)
	if d.Raft == (raft{}) {
		return spec
	}
	if spec.Raft == nil {
		spec.Raft = &pb.RaftConfig{}
	}
	set(&spec.Raft.ElectionRtt, d.Raft.ElectionRTT)
	set(&spec.Raft.HeartbeatRtt, d.Raft.HeartbeatRTT)
	setOptional(&spec.Raft.SnapshotEntries, d.Raft.SnapshotEntries)
	setOptional(&spec.Raft.CompactionOverhead, d.Raft.CompactionOverhead)
	setOptional(&spec.Raft.CheckQuorum, d.Raft.CheckQuorum)
	set(&spec.Raft.MaxInMemLogSize, d.Raft.MaxInMemLogSize)
	set(&spec.Raft.Quiesce, d.Raft.Quiesce)
	set(&spec.Raft.EntryCompression, compression(d.Raft.CompressEntries))
	set(&spec.Raft.SnapshotCompression, compression(d.Raft.CompressSnapshots))
	return spec
}

// compression is what to compress something with; nil: it is not said.
func compression(snappy *bool) *pb.Compression {
	switch {
	case snappy == nil:
		return nil
	case *snappy:
		return pb.Compression_SNAPPY.Enum()
	}
	return pb.Compression_UNCOMPRESSED.Enum()
}

func set[T any](field, given *T) {
	if given != nil {
		*field = *given
	}
}

// setOptional is set for a field in which zero is not the default.
func setOptional[T any](field **T, given *T) {
	if given != nil {
		value := *given
		*field = &value
	}
}

// definitionFlags are a definition on the command line.
type definitionFlags struct {
	ids, application, spreadOver string
	size                         uint32
	regions, required, preferred map[string]string
	raft                         [5]uint64 // as raftFlags names them
	checkQuorum, quiesce         bool
	compressEntries              bool
	compressSnapshots            bool
}

// raftFlags are the numbers of a Raft configuration.
var raftFlags = [5]struct{ name, usage string }{
	{"election-rtt", "election timeout, in RTTs of the NodeHost; 0: the default"},
	{"heartbeat-rtt", "between two heartbeats of a leader, in RTTs of the NodeHost; 0: the default"},
	{"snapshot-entries", "log entries between two automatic snapshots; 0: never"},
	{"compaction-overhead", "log entries to keep before a snapshot; 0: none"},
	{"max-in-mem-log-size", "log in memory that makes a node refuse proposals, in bytes; 0: no limit"},
}

func (f *definitionFlags) add(cmd *cobra.Command, define bool) {
	size := uint32(0)
	if define {
		size = 3
	}
	flags := cmd.Flags()
	flags.StringVar(&f.ids, "ids", "", "cluster IDs, as 7, 1-6 or 1-6,9")
	flags.StringVar(&f.application, "application", "", "application in the NodeHosts' registries")
	flags.Uint32Var(&f.size, "size", size, "number of voting members")
	flags.StringToStringVar(&f.regions, "region", nil, "members a region, as name=count")
	flags.StringToStringVar(&f.required, "require", nil, "labels that a host must have, as key=value")
	flags.StringToStringVar(&f.preferred, "prefer", nil, "labels that make a host the better choice, as key=value")
	flags.StringVar(&f.spreadOver, "spread-over", "", "label whose values are failure domains, such as zone or rack")
	for i, flag := range raftFlags {
		flags.Uint64Var(&f.raft[i], flag.name, 0, flag.usage)
	}
	flags.BoolVar(&f.checkQuorum, "check-quorum", true, "have a leader step down that does not hear of a quorum")
	flags.BoolVar(&f.quiesce, "quiesce", false, "let the cluster sleep while nobody uses it")
	flags.BoolVar(&f.compressEntries, "compress-entries", false, "compress proposals with Snappy")
	flags.BoolVar(&f.compressSnapshots, "compress-snapshots", false, "compress snapshots with Snappy")
}

// definition is what the flags give.
func (f *definitionFlags) definition(cmd *cobra.Command) (definition, error) {
	regions := map[string]uint32{}
	for region, count := range f.regions {
		n, err := strconv.ParseUint(count, 10, 32)
		if err != nil {
			return definition{}, fmt.Errorf("--region %s=%s: the count is not a number", region, count)
		}
		regions[region] = uint32(n)
	}
	ids, err := parseIDs(f.ids)
	d := definition{
		ids:             ids,
		Application:     given(cmd, "application", &f.application),
		Size:            given(cmd, "size", &f.size),
		Regions:         given(cmd, "region", &regions),
		RequiredLabels:  given(cmd, "require", &f.required),
		PreferredLabels: given(cmd, "prefer", &f.preferred),
		SpreadOver:      given(cmd, "spread-over", &f.spreadOver),
		Raft: raft{
			ElectionRTT:        given(cmd, raftFlags[0].name, &f.raft[0]),
			HeartbeatRTT:       given(cmd, raftFlags[1].name, &f.raft[1]),
			SnapshotEntries:    given(cmd, raftFlags[2].name, &f.raft[2]),
			CompactionOverhead: given(cmd, raftFlags[3].name, &f.raft[3]),
			MaxInMemLogSize:    given(cmd, raftFlags[4].name, &f.raft[4]),
			CheckQuorum:        given(cmd, "check-quorum", &f.checkQuorum),
			Quiesce:            given(cmd, "quiesce", &f.quiesce),
			CompressEntries:    given(cmd, "compress-entries", &f.compressEntries),
			CompressSnapshots:  given(cmd, "compress-snapshots", &f.compressSnapshots),
		},
	}
	if f.size != 0 {
		d.Size = &f.size // also the default of define
	}
	return d, err
}

// given returns a flag's value when the command line has the flag.
func given[T any](cmd *cobra.Command, name string, value *T) *T {
	if cmd.Flags().Changed(name) {
		return value
	}
	return nil
}

func readDefinitions(path string, stdin io.Reader) ([]definition, error) {
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
	if err := program.ParseYAML(path, data, &file); err != nil {
		return nil, err
	}
	clusters := 0
	for i := range file.Clusters {
		d := &file.Clusters[i]
		if d.ids, err = parseIDs(d.IDs); err != nil {
			return nil, fmt.Errorf("%s: entry %d of clusters: %w", path, i+1, err)
		}
		if clusters += len(d.ids); clusters > maxDefined {
			return nil, fmt.Errorf("%s: more than %d clusters at once", path, maxDefined)
		}
	}
	if clusters == 0 {
		return nil, fmt.Errorf("%s: no clusters", path)
	}
	return file.Clusters, nil
}

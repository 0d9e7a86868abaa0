// SPDX-License-Identifier: Apache-2.0

package db

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/raftspec"
)

// Limits of what is accepted.
const (
	MaxClusterSize   = 15
	MaxSpecs         = 100_000 // in one command
	maxNameBytes     = 256     // of an address, an ID, a region, an application, a label
	MaxLabels        = 64
	maxMembers       = 64 // of a Raft cluster, all roles
	maxNodeID        = 1 << 62
	MaxDeadlineTicks = 100_000
)

// ValidateSpecs returns why the specifications can't be defined together. It is
// for who accepts them; Apply has to go by what it once let into the log.
func ValidateSpecs(specs []*pb.ClusterSpec) error {
	return validateSpecs(specs, Version)
}

// validateSpecs is ValidateSpecs as the commands of a version know it.
func validateSpecs(specs []*pb.ClusterSpec, version uint32) error {
	if len(specs) == 0 {
		return errors.New("there is no specification to define")
	}
	if len(specs) > MaxSpecs {
		return fmt.Errorf("%d specifications are too many at once, %d are allowed", len(specs), MaxSpecs)
	}
	for _, spec := range specs {
		if err := validateSpec(spec); err != nil {
			return err
		}
		if version < 2 {
			continue
		}
		if err := validateStartable(spec); err != nil {
			return err
		}
	}
	return nil
}

// validateSpec returns why a specification can't be right. It holds for every
// version: what was accepted once must always be restored.
func validateSpec(spec *pb.ClusterSpec) error {
	id := spec.GetClusterId()
	switch {
	case id == 0:
		return errors.New("a cluster ID is not 0")
	case !validName(spec.GetApplication()):
		return fmt.Errorf("cluster %d needs an application of 1 to %d bytes", id, maxNameBytes)
	case spec.GetSize() < 1 || spec.GetSize() > MaxClusterSize:
		return fmt.Errorf("cluster %d has size %d, 1 to %d are allowed", id, spec.GetSize(), MaxClusterSize)
	}
	if err := validateRegions(spec); err != nil {
		return err
	}
	return validateRaft(id, spec.GetRaft())
}

func validateRegions(spec *pb.ClusterSpec) error {
	sum := uint64(0)
	for _, region := range slices.Sorted(maps.Keys(spec.GetRegions())) {
		count := spec.Regions[region]
		if !validName(region) || count == 0 {
			return fmt.Errorf("cluster %d wants %d members in region %q: name a region and a count above 0",
				spec.ClusterId, count, region)
		}
		sum += uint64(count)
	}
	if sum > uint64(spec.Size) {
		return fmt.Errorf("cluster %d wants %d members in regions, but its size is %d",
			spec.ClusterId, sum, spec.Size)
	}
	return nil
}

// validateStartable returns why no host could run a member of a cluster, or no
// host could ever be suitable. It came with version 2.
func validateStartable(spec *pb.ClusterSpec) error {
	if err := raftspec.Check(spec.GetRaft()); err != nil {
		return fmt.Errorf("cluster %d can't run: %w", spec.ClusterId, err)
	}
	if !validLabels(spec.GetRequiredLabels()) || !validLabels(spec.GetPreferredLabels()) {
		return fmt.Errorf("cluster %d requires or prefers more than %d labels, or one that is empty or above %d bytes",
			spec.ClusterId, MaxLabels, maxNameBytes)
	}
	if len(spec.GetSpreadOver()) > maxNameBytes {
		return fmt.Errorf("cluster %d is spread over a label of %d bytes, at most %d are allowed",
			spec.ClusterId, len(spec.SpreadOver), maxNameBytes)
	}
	return nil
}

// validateRaft refuses some of what Dragonboat's config.Validate would refuse
// on every host; raftspec.Check knows the rest.
func validateRaft(id uint64, raft *pb.RaftConfig) error {
	election, heartbeat := raft.GetElectionRtt(), raft.GetHeartbeatRtt()
	if election != 0 && heartbeat != 0 && (election <= heartbeat || election-heartbeat <= heartbeat) {
		return fmt.Errorf("cluster %d has an election_rtt of %d, more than twice its heartbeat_rtt %d is needed",
			id, election, heartbeat)
	}
	if size := raft.GetMaxInMemLogSize(); size != 0 && size < raftspec.MinInMemLogSize {
		return fmt.Errorf("cluster %d has a max_in_mem_log_size of %d bytes, at least %d are needed",
			id, size, raftspec.MinInMemLogSize)
	}
	return nil
}

func validName(s string) bool { return s != "" && len(s) <= maxNameBytes }

// ValidateHost returns why a host's own description can't be right: DrummerDB would
// leave its reports out.
func ValidateHost(info *pb.NodeHostInfo) error {
	if !validName(info.GetNodehostId()) || !validName(info.GetRaftAddress()) {
		return fmt.Errorf("a host needs a NodeHost ID and a RaftAddress of 1 to %d bytes", maxNameBytes)
	}
	if len(info.GetApiAddress()) > maxNameBytes || len(info.GetRegion()) > maxNameBytes {
		return fmt.Errorf("host %s has an API address or a region above %d bytes", info.NodehostId, maxNameBytes)
	}
	if len(info.GetSick()) > maxTextBytes {
		return fmt.Errorf("host %s says with more than %d bytes what is wrong with it", info.NodehostId, maxTextBytes)
	}
	if !validLabels(info.GetLabels()) {
		return fmt.Errorf("host %s has more than %d labels, or one that is empty or above %d bytes",
			info.NodehostId, MaxLabels, maxNameBytes)
	}
	return nil
}

func validLabels(labels map[string]string) bool {
	for k, v := range labels {
		if !validName(k) || len(v) > maxNameBytes {
			return false
		}
	}
	return len(labels) <= MaxLabels
}

func validNodeID(id uint64) bool { return id != 0 && id < maxNodeID }

// imageOf reads a membership, or returns why it can't be one of the cluster.
func imageOf(clusterID uint64, m *pb.Membership) (Image, error) {
	image := Image{CCID: m.GetConfigChangeId(), Removed: slices.Clone(m.GetRemoved())}
	if id := m.GetClusterId(); id != 0 && id != clusterID {
		return image, fmt.Errorf("a membership of cluster %d was reported for cluster %d", id, clusterID)
	}
	add := func(members map[uint64]string, role pb.MemberRole) {
		for id, address := range members {
			image.Members = append(image.Members, Member{NodeID: id, Address: address, Role: role})
		}
	}
	add(m.GetVoters(), pb.MemberRole_VOTER)
	add(m.GetObservers(), pb.MemberRole_OBSERVER)
	add(m.GetWitnesses(), pb.MemberRole_WITNESS)
	slices.SortFunc(image.Members, func(a, b Member) int { return cmp.Compare(a.NodeID, b.NodeID) })
	slices.Sort(image.Removed)
	image.Removed = slices.Compact(image.Removed)
	if !image.sound() {
		return image, fmt.Errorf("the membership reported for cluster %d contradicts itself", clusterID)
	}
	return image, nil
}

// is reports whether a membership of a cluster says what the image has. It never is so
// of an image that has no members, or of a membership that imageOf would refuse.
func (m *Image) is(clusterID uint64, p *pb.Membership) bool {
	if m.CCID == 0 || p.GetConfigChangeId() != m.CCID || p.GetClusterId() != 0 && p.GetClusterId() != clusterID ||
		len(p.GetVoters())+len(p.GetObservers())+len(p.GetWitnesses()) != len(m.Members) || !slices.Equal(p.GetRemoved(), m.Removed) {
		return false
	}
	for _, x := range m.Members {
		members := p.GetVoters()
		switch x.Role {
		case pb.MemberRole_OBSERVER:
			members = p.GetObservers()
		case pb.MemberRole_WITNESS:
			members = p.GetWitnesses()
		}
		if address, listed := members[x.NodeID]; !listed || address != x.Address {
			return false
		}
	}
	return true
}

// sound reports whether an image keeps its invariants and has a voter. Members
// and Removed are sorted.
func (m *Image) sound() bool {
	if m.CCID == 0 || len(m.Members) > maxMembers {
		return false
	}
	voters := 0
	for i, x := range m.Members {
		if !validNodeID(x.NodeID) || !validName(x.Address) || m.HasRemoved(x.NodeID) ||
			i > 0 && m.Members[i-1].NodeID == x.NodeID {
			return false
		}
		if x.Role == pb.MemberRole_VOTER {
			voters++
		}
	}
	n := len(m.Removed)
	return voters > 0 && (n == 0 || m.Removed[0] != 0 && m.Removed[n-1] < maxNodeID)
}

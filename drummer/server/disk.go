// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"slices"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// noteDisk notes which generation a host's disk has come to, as its stream says. l.mu
// is held.
func (l *leadership) noteDisk(host string, stream *hostStream) {
	if generation := stream.disk.Load(); generation > l.disks[host] {
		l.disks[host] = generation
	}
}

// newestDisk is the highest generation of a host's disk that was heard of; 0: none.
func (l *leadership) newestDisk(state *db.State, host string) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if h := state.Hosts.At(host); h != nil {
		return max(h.DiskGeneration, l.disks[host])
	}
	return l.disks[host]
}

// disksOf is what a tick has to say of generations of disks: those of hosts that fall
// silent, which may come back with an old copy when another server leads, and that of
// the host that was audited last, in case that a host and this leader end together.
// All others the leader knows by itself.
func (l *leadership) disksOf(state *db.State, silent []*pb.SilentHost) []*pb.DiskGeneration {
	l.mu.Lock()
	defer l.mu.Unlock()
	hosts := []string{l.audited}
	for _, s := range silent {
		if id := s.GetNodehostId(); !slices.Contains(hosts, id) {
			hosts = append(hosts, id)
		}
	}
	var disks []*pb.DiskGeneration
	for _, id := range hosts {
		if h := state.Hosts.At(id); h != nil && l.disks[id] > h.DiskGeneration {
			disks = append(disks, &pb.DiskGeneration{NodehostId: id, Generation: l.disks[id]})
		}
	}
	return disks
}

// checkDisk compares the generation of a host's disk, as its Hello has it, with what was
// heard of before. Where the disk is an old copy of itself, the nodes on it are lost in
// DrummerDB when it returns: nothing asks for their start any more. It returns the
// newest generation, which tells the agent the same.
func (a *attachService) checkDisk(ctx context.Context, l *leadership, state *db.State, hello *pb.Hello) (newest uint64, err error) {
	host, generation := hello.GetHost().GetNodehostId(), hello.GetDiskGeneration()
	newest = l.newestDisk(state, host)
	if generation == 0 || generation >= newest {
		return generation, nil
	}
	a.server.log.Error("a NodeHost came back with an old copy of its disk", "nodehost", host, "generation", generation, "newest", newest)
	result, err := a.server.propose(ctx, &pb.Command{Body: &pb.Command_LoseDisk{LoseDisk: &pb.LoseDisk{
		Term: l.term, NodehostId: host, Generation: generation, NewestGeneration: newest}}})
	if err != nil {
		return 0, status.Errorf(codes.Unavailable, "the disk of NodeHost %s is an old copy of itself, which can't be written down: %v", host, err)
	}
	if result.GetCode() != pb.CommandCode_APPLIED {
		return 0, status.Errorf(codes.Unavailable, "the disk of NodeHost %s is an old copy of itself, which can't be written down: %v: %s", host, result.GetCode(), result.GetDetail())
	}
	return newest, nil
}

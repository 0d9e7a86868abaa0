// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/rpc"
)

// fakeDrummer answers as it is told and remembers what it was asked.
type fakeDrummer struct {
	pb.UnimplementedDrummerServer
	pb.UnimplementedFleetServer
	mu     sync.Mutex
	asked  []proto.Message
	refuse error
	// servers are as 'run' commands have left them.
	servers []*pb.ServerStatus
	added   uint64
}

func newFakeDrummer() *fakeDrummer {
	return &fakeDrummer{servers: []*pb.ServerStatus{
		{NodeId: 1, RaftAddress: "raft-1:1", Address: "grpc-1:2", Role: pb.MemberRole_VOTER, Leader: true, Alive: true},
		{NodeId: 2, RaftAddress: "raft-2:1", Address: "grpc-2:2", Role: pb.MemberRole_VOTER, Alive: true},
		{NodeId: 3, RaftAddress: "raft-3:1", Role: pb.MemberRole_VOTER},
	}}
}

func (f *fakeDrummer) ask(m proto.Message) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, m)
	return f.refuse
}

func (f *fakeDrummer) DefineClusters(_ context.Context, r *pb.DefineClustersRequest) (*pb.DefineClustersResponse, error) {
	return &pb.DefineClustersResponse{}, f.ask(r)
}

func (f *fakeDrummer) Launch(_ context.Context, r *pb.LaunchRequest) (*pb.LaunchResponse, error) {
	return &pb.LaunchResponse{}, f.ask(r)
}

func (f *fakeDrummer) Locate(_ context.Context, r *pb.LocateRequest) (*pb.LocateResponse, error) {
	voter := func(id uint64, running bool) *pb.MemberLocation {
		return &pb.MemberLocation{NodeId: id, Role: pb.MemberRole_VOTER, Running: running, NodehostId: fmt.Sprint("nhid-", id),
			RaftAddress: fmt.Sprint("raft-", id), ApiAddress: fmt.Sprint("api-", id)}
	}
	spec := &pb.ClusterSpec{Application: "kv", Size: 3, Regions: map[string]uint32{"west": 2}, SpreadOver: "rack",
		Raft: &pb.RaftConfig{ElectionRtt: 20}}
	out := &pb.LocateResponse{DbIndex: 9, Clusters: []*pb.ClusterLocation{
		{ClusterId: 1, ConfigChangeId: 3, Available: true, LeaderId: 2, Spec: spec, Members: []*pb.MemberLocation{voter(1, true), voter(2, true), voter(3, true)}},
		{ClusterId: 2, ConfigChangeId: 5, Spec: spec, Members: []*pb.MemberLocation{voter(1, true), voter(3, false)}, WaitingFor: "a host"},
	}}
	if len(r.GetClusterIds()) > 0 {
		out.Clusters = slices.DeleteFunc(out.Clusters, func(c *pb.ClusterLocation) bool { return !slices.Contains(r.GetClusterIds(), c.GetClusterId()) })
	}
	out.Known = uint64(len(out.Clusters))
	if r.GetUnfinished() {
		out.Clusters = slices.DeleteFunc(out.Clusters, func(c *pb.ClusterLocation) bool { return c.GetWaitingFor() == "" })
	}
	if n := int(r.GetLimit()); n > 0 && n < len(out.Clusters) {
		out.Clusters, out.NextAfterClusterId = out.Clusters[:n], out.Clusters[n-1].GetClusterId()
	}
	for _, c := range out.GetClusters() {
		if len(r.GetClusterIds()) > 0 && c.GetWaitingFor() != "" {
			c.LastRefusal = &pb.Event{Sequence: 4, Tick: 16, Text: "operation 6 ended REFUSED: no such application"}
		}
		c.Spec = proto.Clone(spec).(*pb.ClusterSpec)
		c.Spec.ClusterId = c.GetClusterId()
	}
	return out, f.ask(r)
}

func (f *fakeDrummer) ListNodeHosts(_ context.Context, r *pb.ListNodeHostsRequest) (*pb.ListNodeHostsResponse, error) {
	return &pb.ListNodeHostsResponse{Hosts: []*pb.NodeHostStatus{
		{Host: &pb.NodeHostInfo{NodehostId: "nhid-1", RaftAddress: "raft-1", ApiAddress: "api-1", Region: "west"}, State: pb.NodeHostState_UP, Nodes: 4, LastSeenTick: 17},
		{Host: &pb.NodeHostInfo{NodehostId: "nhid-2", RaftAddress: "raft-2"}, State: pb.NodeHostState_DEAD, LastSeenTick: 2},
	}}, f.ask(r)
}

func (f *fakeDrummer) ListOperations(_ context.Context, r *pb.ListOperationsRequest) (*pb.ListOperationsResponse, error) {
	return &pb.ListOperationsResponse{Operations: []*pb.Operation{{Id: 7, Reason: "node 3 is dead", DeadlineTick: 30, Request: &pb.Request{
		Kind: pb.RequestKind_ADD_OBSERVER, ClusterId: 2, NodeId: 4, NodehostId: "nhid-1"}}}}, f.ask(r)
}

func (f *fakeDrummer) ListEvents(_ context.Context, r *pb.ListEventsRequest) (*pb.ListEventsResponse, error) {
	return &pb.ListEventsResponse{Events: []*pb.Event{{Sequence: 1, Tick: 2, DbIndex: 3, Kind: pb.EventHostDead, Text: "host nhid-2 is dead"}}}, f.ask(r)
}

func (f *fakeDrummer) Status(_ context.Context, r *pb.StatusRequest) (*pb.StatusResponse, error) {
	return &pb.StatusResponse{Server: "here", Leader: true, Term: 3, Tick: 17, DbIndex: 90, Launched: true, Scheduling: true,
		Blown:    []string{"the fuse of the fleet: 4 of 6 hosts vanished at once"},
		Refusals: []*pb.Refusals{{Role: "reader", Method: pb.Fleet_Pause_FullMethodName, Count: 2}}}, f.ask(r)
}

func (f *fakeDrummer) UpdateClusters(_ context.Context, r *pb.UpdateClustersRequest) (*pb.FleetResponse, error) {
	return &pb.FleetResponse{}, f.ask(r)
}

func (f *fakeDrummer) DeleteClusters(_ context.Context, r *pb.DeleteClustersRequest) (*pb.FleetResponse, error) {
	return &pb.FleetResponse{}, f.ask(r)
}

func (f *fakeDrummer) Pause(_ context.Context, r *pb.PauseRequest) (*pb.FleetResponse, error) {
	return &pb.FleetResponse{}, f.ask(r)
}

func (f *fakeDrummer) Resume(_ context.Context, r *pb.ResumeRequest) (*pb.FleetResponse, error) {
	return &pb.FleetResponse{}, f.ask(r)
}

func (f *fakeDrummer) SetHostMode(_ context.Context, r *pb.SetHostModeRequest) (*pb.FleetResponse, error) {
	return &pb.FleetResponse{}, f.ask(r)
}

func (f *fakeDrummer) ForgetHost(_ context.Context, r *pb.ForgetHostRequest) (*pb.FleetResponse, error) {
	return &pb.FleetResponse{}, f.ask(r)
}

func (f *fakeDrummer) DryRun(_ context.Context, r *pb.DryRunRequest) (*pb.DryRunResponse, error) {
	return &pb.DryRunResponse{
		Operations: []*pb.Operation{{Reason: "it is drained", Request: &pb.Request{Kind: pb.RequestKind_ADD_OBSERVER, ClusterId: 1, NodeId: 4, NodehostId: "nhid-1"}}},
		Waiting:    []*pb.WaitingCluster{{ClusterId: 2, For: "a host"}},
		Objections: []*pb.WaitingCluster{{ClusterId: 3, For: "a host in region west"}},
	}, f.ask(r)
}

func (f *fakeDrummer) ListServers(_ context.Context, r *pb.ListServersRequest) (*pb.ListServersResponse, error) {
	if err := f.ask(r); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return &pb.ListServersResponse{Servers: slices.Clone(f.servers)}, nil
}

// AddServer adds one that votes at once, under the next node ID.
func (f *fakeDrummer) AddServer(_ context.Context, r *pb.AddServerRequest) (*pb.AddServerResponse, error) {
	if err := f.ask(r); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.added++
	id := 3 + f.added
	f.servers = append(f.servers, &pb.ServerStatus{NodeId: id, RaftAddress: r.GetRaftAddress(), Address: r.GetAddress(), Role: pb.MemberRole_VOTER, Alive: true})
	return &pb.AddServerResponse{NodeId: id}, nil
}

func (f *fakeDrummer) RemoveServer(_ context.Context, r *pb.RemoveServerRequest) (*pb.FleetResponse, error) {
	if err := f.ask(r); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.servers = slices.DeleteFunc(f.servers, func(s *pb.ServerStatus) bool { return s.GetNodeId() == r.GetNodeId() })
	if r.GetNodeId() > 3+f.added {
		return nil, status.Errorf(codes.NotFound, "DrummerDB has no server %d", r.GetNodeId())
	}
	return &pb.FleetResponse{}, nil
}

// TestCommandLine runs the scripts in testdata/drummer/cmd: each 'run' is a
// command line, its output what is printed, what Drummer was asked and the exit
// code. 'refuse CODE' makes Drummer refuse with the input as text.
func TestCommandLine(t *testing.T) {
	datadriven.Walk(t, "../../testdata/drummer/cmd", func(t *testing.T, path string) {
		fake := newFakeDrummer()
		server := rpc.NewServer(nil, rpc.Limits{})
		pb.RegisterDrummerServer(server, fake)
		pb.RegisterFleetServer(server, fake)
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		done := make(chan struct{})
		go func() { defer close(done); _ = server.Serve(listener) }()
		defer func() { server.Stop(); <-done }()
		t.Setenv("DRUMMERS", listener.Addr().String())
		t.Setenv("USER", "alice")
		dir := t.TempDir()
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "file":
				require.NoError(t, os.WriteFile(filepath.Join(dir, d.CmdArgs[0].Key), []byte(d.Input+"\n"), 0o600))
				return ""
			case "refuse":
				var code codes.Code
				require.NoError(t, code.UnmarshalJSON([]byte(`"`+d.CmdArgs[0].Key+`"`)))
				fake.refuse = nil
				if code != codes.OK {
					fake.refuse = status.Error(code, d.Input)
				}
				return ""
			case "run":
				fake.asked = nil
				var out, errOut bytes.Buffer
				args := strings.Fields(strings.NewReplacer("DIR", dir, "SERVER", listener.Addr().String()).Replace(d.Input))
				code := run(t.Context(), args, &out, &errOut)
				text := out.String() + errOut.String()
				for i, m := range fake.asked {
					if i > 0 && proto.Equal(m, fake.asked[i-1]) {
						continue // how often it tries depends on the clock
					}
					data, err := prototext.MarshalOptions{}.Marshal(m)
					require.NoError(t, err)
					text += fmt.Sprintf("asked: %s %s\n", m.ProtoReflect().Descriptor().Name(), strings.Join(strings.Fields(string(data)), " "))
				}
				text += fmt.Sprintf("exit %d\n", code)
				text = strings.ReplaceAll(text, dir, "DIR")
				return strings.ReplaceAll(text, listener.Addr().String(), "SERVER")
			default:
				t.Fatalf("%s: there is no command %q", d.Pos, d.Cmd)
				return ""
			}
		})
	})
}

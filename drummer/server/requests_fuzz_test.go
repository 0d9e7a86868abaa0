// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"encoding/binary"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// call is one thing that bytes may be sent to.
type call struct {
	name string
	do   func(w *memoryServer, data []byte) error
}

// everyCall is every method of every service of a server, and a tick of its
// clock. Unary methods go through the handlers that gRPC calls, streams through
// the methods themselves.
func everyCall() []call {
	var calls []call
	for _, desc := range []*grpc.ServiceDesc{&pb.Drummer_ServiceDesc, &pb.Fleet_ServiceDesc, &pb.Peers_ServiceDesc} {
		for _, method := range desc.Methods {
			calls = append(calls, call{desc.ServiceName + "/" + method.MethodName, func(w *memoryServer, data []byte) error {
				return w.unary(desc.ServiceName, method, data)
			}})
		}
	}
	return append(calls,
		call{pb.Fleet_WatchEvents_FullMethodName[1:], (*memoryServer).watch},
		call{pb.NodeHosts_Attach_FullMethodName[1:], func(w *memoryServer, data []byte) error { return w.attach(data, false) }},
		call{"Attach after a Hello", func(w *memoryServer, data []byte) error { return w.attach(data, true) }},
		call{"a tick", func(w *memoryServer, _ []byte) error { return w.leadership.tick(w.ctx) }})
}

// TestEveryMethodIsFuzzed: a method that is added is fuzzed, or this fails.
// NodeHostAPI and Recovery are fuzzed where they live.
func TestEveryMethodIsFuzzed(t *testing.T) {
	fuzzed := map[string]bool{}
	for _, c := range everyCall() {
		fuzzed[c.name] = true
	}
	for _, file := range []protoreflect.FileDescriptor{pb.File_drummer_proto, pb.File_fleet_proto} {
		for i := range file.Services().Len() {
			service := file.Services().Get(i)
			for j := range service.Methods().Len() {
				name := string(service.FullName()) + "/" + string(service.Methods().Get(j).Name())
				if service.Name() != "NodeHostAPI" && service.Name() != "Recovery" && !fuzzed[name] {
					t.Errorf("%s is not fuzzed", name)
				}
			}
		}
	}
}

// FuzzRequests sends a server one request after another, whatever the bytes are,
// and lets it decide in between. Nothing panics; each method answers, or refuses
// with a code that says why; two replicas of DrummerDB do not diverge, and keep
// their invariants. In place of Raft are these replicas in memory, so that it
// is cheap; FuzzServices has Raft and gRPC.
func FuzzRequests(f *testing.F) {
	calls := everyCall()
	base := newBase(f)
	for i := range calls {
		f.Add(request(nil, i, nil))
		for _, example := range examples() {
			data, err := proto.Marshal(example)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(request(request(request(nil, i, data), len(calls)-1, nil), i, data))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		w := newMemoryServer(t, base)
		for range 16 {
			if len(data) == 0 {
				break
			}
			c := calls[int(data[0])%len(calls)]
			var payload []byte
			payload, data = cut(data[1:])
			switch err := c.do(w, payload); status.Code(err) {
			case codes.Internal, codes.Unknown, codes.DeadlineExceeded:
				t.Fatalf("%s answers %v", c.name, err)
			}
		}
		w.check()
	})
}

// request appends a call with its bytes; cut takes the bytes off again.
func request(out []byte, which int, data []byte) []byte {
	out = append(out, byte(which))
	return append(binary.AppendUvarint(out, uint64(len(data))), data...)
}

func cut(data []byte) (payload, rest []byte) {
	size, n := binary.Uvarint(data)
	if n <= 0 {
		return data, nil
	}
	size = min(size, uint64(len(data)-n))
	return data[n : n+int(size)], data[n+int(size):]
}

// examples are requests that mean something; each is tried on every method.
func examples() []proto.Message {
	spec := &pb.ClusterSpec{ClusterId: 3, Application: "kv", Size: 3, Regions: map[string]uint32{"r": 1},
		SpreadOver: "rack", RequiredLabels: map[string]string{"disk": "ssd"}, Raft: &pb.RaftConfig{ElectionRtt: 20, HeartbeatRtt: 2}}
	members := map[uint64]string{1: "a", 2: "b", 3: "c"}
	return []proto.Message{
		&pb.DefineClustersRequest{Specs: []*pb.ClusterSpec{spec}},
		&pb.UpdateClustersRequest{Specs: []*pb.ClusterSpec{{ClusterId: 1, Application: "kv", Size: 4}}, By: "me"},
		&pb.DeleteClustersRequest{ClusterIds: []uint64{1, 2}, By: "me"},
		&pb.PauseRequest{Reason: "why", By: "me"},
		&pb.SetHostModeRequest{Host: "a", Mode: pb.HostMode_DRAIN, Force: true},
		&pb.ForgetHostRequest{Host: "A"},
		&pb.DryRunRequest{Launched: true, Define: []*pb.ClusterSpec{spec}, Delete: []uint64{1}, Drain: []string{"A"}, Resumed: true},
		&pb.RecoverClusterRequest{ClusterId: 1, NodeId: 4, NodehostId: "A", By: "me"},
		&pb.RestoreRequest{Backup: []byte("no backup"), By: "me"},
		&pb.AddServerRequest{RaftAddress: "r9", Address: "g9"},
		&pb.ServerList{Servers: []*pb.ServerInfo{{NodeId: 2, RaftAddress: "r2", Address: "g2", Version: 2, CaughtUp: true, BootNs: 1, Beat: 1}}},
		&pb.AgentMessage{Body: &pb.AgentMessage_Hello{Hello: &pb.Hello{Host: &pb.NodeHostInfo{NodehostId: "E", RaftAddress: "c"}}}},
		&pb.AgentMessage{Body: &pb.AgentMessage_Delta{Delta: &pb.Delta{
			Changed: []*pb.NodeReport{{ClusterId: 1, NodeId: 2, Running: true, Role: pb.MemberRole_VOTER, LeaderId: 2, Term: 3,
				Membership: &pb.Membership{ConfigChangeId: 4, Voters: members, Observers: map[uint64]string{4: "d"}}}},
			Gone: []*pb.NodeKey{{ClusterId: 1, NodeId: 3}}}}},
		&pb.AgentMessage{Body: &pb.AgentMessage_Result{Result: &pb.RequestResult{OperationId: 1, Code: pb.ResultCode_FAILED}}},
	}
}

// ---- streams without a wire

type quietStream struct {
	grpc.ServerStream
	ctx context.Context
}

func (s *quietStream) Context() context.Context { return s.ctx }

type eventStream struct{ quietStream }

func (s *eventStream) Send(*pb.Event) error { return nil }

type agentSide struct {
	quietStream
	messages chan *pb.AgentMessage
}

func (s *agentSide) Send(*pb.ServerMessage) error { return nil }

// Recv breaks off after the last message.
func (s *agentSide) Recv() (*pb.AgentMessage, error) {
	if m, ok := <-s.messages; ok {
		return m, nil
	}
	return nil, status.Error(codes.Canceled, "the agent is gone")
}

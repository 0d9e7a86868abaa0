// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// unary are the unary methods of a server's services.
func unary() []protoreflect.MethodDescriptor {
	var methods []protoreflect.MethodDescriptor
	for _, file := range []protoreflect.FileDescriptor{pb.File_drummer_proto, pb.File_fleet_proto} {
		for i := range file.Services().Len() {
			service := file.Services().Get(i)
			if service.Name() == "NodeHostAPI" {
				continue
			}
			for j := range service.Methods().Len() {
				if m := service.Methods().Get(j); !m.IsStreamingClient() && !m.IsStreamingServer() {
					methods = append(methods, m)
				}
			}
		}
	}
	return methods
}

// FuzzServices is FuzzRequests with everything: Raft, gRPC and a server that
// runs by itself. An execution takes milliseconds, so it is for what only shows
// there, not for breadth. Whatever bytes come, a method answers, or refuses with a code
// that says why; nothing panics, and the server works as before.
func FuzzServices(f *testing.F) {
	methods := unary()
	spec := &pb.ClusterSpec{ClusterId: 1, Application: "kv", Size: 3}
	for i, m := range methods {
		f.Add(uint8(i), []byte{})
		if m.Name() == "DefineClusters" || m.Name() == "UpdateClusters" {
			data, err := proto.Marshal(&pb.DefineClustersRequest{Specs: []*pb.ClusterSpec{spec, spec}})
			require.NoError(f, err)
			f.Add(uint8(i), data)
		}
	}
	hello, err := proto.Marshal(helloOf("nhid-1"))
	require.NoError(f, err)
	f.Add(uint8(255), hello)
	f.Fuzz(func(t *testing.T, which uint8, data []byte) {
		synctest.Test(t, func(t *testing.T) {
			w := newTrio(t, 1)
			leader := w.leader()
			if which == 255 {
				w.attachBytes(leader, data)
			} else {
				w.invoke(leader, methods[int(which)%len(methods)], data)
			}
			_, err := pb.NewDrummerClient(w.conn(leader)).Locate(w.context(10*time.Second), &pb.LocateRequest{})
			require.NoError(t, err)
		})
	})
}

func (w *trio) invoke(id uint64, method protoreflect.MethodDescriptor, data []byte) {
	in, out := dynamicpb.NewMessage(method.Input()), dynamicpb.NewMessage(method.Output())
	if proto.Unmarshal(data, in) != nil {
		return
	}
	name := "/" + string(method.Parent().FullName()) + "/" + string(method.Name())
	err := w.conn(id).Invoke(w.context(20*time.Second), name, in, out)
	switch code := status.Code(err); code {
	case codes.Internal, codes.Unknown:
		w.t.Fatalf("%s answers %v: %v", name, code, err)
	}
}

// attachBytes sends what the bytes are as an agent's second message, after a
// good Hello, and twice.
func (w *trio) attachBytes(id uint64, data []byte) {
	message := &pb.AgentMessage{}
	if proto.Unmarshal(data, message) != nil {
		return
	}
	stream, err := pb.NewNodeHostsClient(w.conn(id)).Attach(w.context(5 * time.Second))
	require.NoError(w.t, err)
	for _, m := range []*pb.AgentMessage{helloOf("nhid-1"), message, message} {
		if stream.Send(m) != nil {
			break
		}
	}
	for err = nil; err == nil; {
		_, err = stream.Recv()
	}
	if code := status.Code(err); code == codes.Internal || code == codes.Unknown && !errors.Is(err, io.EOF) {
		w.t.Fatalf("Attach ends with %v", err)
	}
}

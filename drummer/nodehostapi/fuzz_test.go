// SPDX-License-Identifier: Apache-2.0

package nodehostapi

import (
	"context"
	"encoding/binary"
	"testing"
	"time"

	"github.com/lni/goutils/vfs"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/testkit"
)

// The clusters of the NodeHost that is fuzzed, both of one member.
const (
	fuzzedRegular = 1
	fuzzedOnDisk  = 2
)

// newFuzzedService is the service on a NodeHost that runs in real time, with a
// short RTT and a disk in memory. One serves all executions.
func newFuzzedService(f *testing.F) *service {
	conf := testkit.NodeHostConfig("fuzzed", vfs.NewMem())
	conf.RTTMillisecond = 1
	nodehost := testkit.StartNodeHost(f, conf)
	f.Cleanup(nodehost.Stop)
	members := map[uint64]string{1: "fuzzed"}
	if err := nodehost.StartCluster(members, false, testkit.NewKV, testkit.RaftConfig(fuzzedRegular, 1)); err != nil {
		f.Fatal(err)
	}
	if err := nodehost.StartOnDiskCluster(members, false, testkit.NewOnDiskKV, testkit.RaftConfig(fuzzedOnDisk, 1)); err != nil {
		f.Fatal(err)
	}
	s := &service{nodehost: nodehost}
	for _, id := range []uint64{fuzzedRegular, fuzzedOnDisk} {
		for start := time.Now(); ; time.Sleep(time.Millisecond) {
			if _, err := s.Read(context.Background(), &pb.ReadRequest{ClusterId: id}); err == nil {
				break
			} else if time.Since(start) > 30*time.Second {
				f.Fatalf("cluster %d has no leader: %v", id, err)
			}
		}
	}
	return s
}

// FuzzAPI sends a NodeHost up to eight requests, whatever the bytes are. Nothing
// panics, in Dragonboat neither; each method answers, or refuses with a code that
// says why and whether the proposal may have an effect.
func FuzzAPI(f *testing.F) {
	s := newFuzzedService(f)
	methods := pb.NodeHostAPI_ServiceDesc.Methods
	for i := range methods {
		for _, example := range apiExamples() {
			data, err := proto.Marshal(example)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(append([]byte{byte(i), byte(len(data))}, data...))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for range 8 {
			if len(data) == 0 {
				return
			}
			method := methods[int(data[0])%len(methods)]
			size, n := binary.Uvarint(data[1:])
			data = data[1+max(n, 0):]
			size = min(size, uint64(len(data)))
			s.fuzz(t, method.MethodName, func(ctx context.Context, dec func(any) error) (any, error) {
				return method.Handler(s, ctx, dec, nil)
			}, data[:size])
			data = data[size:]
		}
	})
}

func (s *service) fuzz(t *testing.T, name string, call func(context.Context, func(any) error) (any, error), data []byte) {
	malformed := false
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	answer, err := call(ctx, func(in any) error {
		err := proto.Unmarshal(data, in.(proto.Message))
		malformed = err != nil
		return err
	})
	if malformed {
		return // gRPC refuses that
	}
	if err == nil {
		if _, err := proto.Marshal(answer.(proto.Message)); err != nil {
			t.Fatalf("%s gives an answer that can't be sent: %v", name, err)
		}
		return
	}
	code, details := status.Code(err), status.Convert(err).Details()
	if code == codes.Unknown || code == codes.DeadlineExceeded || len(details) != 1 {
		t.Fatalf("%s answers %v, with details %v", name, err, details)
	}
	if detail, ok := details[0].(*pb.RaftError); !ok || detail.GetCode() == pb.RaftErrorCode_RAFT_ERROR_CODE_UNSPECIFIED {
		t.Fatalf("%s answers %v, whose detail %v says nothing", name, err, details[0])
	}
}

func apiExamples() []proto.Message {
	var out []proto.Message
	for _, id := range []uint64{fuzzedRegular, fuzzedOnDisk, 3} {
		session := &pb.Session{ClusterId: id, ClientId: 12345, SeriesId: 2, RespondedTo: 1}
		out = append(out,
			&pb.GetSessionRequest{ClusterId: id}, session,
			&pb.ProposeRequest{Session: session, Command: testkit.Put("a", "1")},
			&pb.ProposeRequest{Session: &pb.Session{ClusterId: id}, Command: []byte("no pair")},
			&pb.ReadRequest{ClusterId: id, Query: []byte("not bytes")},
			&pb.ReadRequest{ClusterId: id, Query: []byte("a"), Stale: true})
	}
	return out
}

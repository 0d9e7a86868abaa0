// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"context"
	"errors"

	sm "github.com/lni/dragonboat/v3/statemachine"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// Local is the Target of clients that are a part of each NodeHost's process, as
// those of an application are that embeds Dragonboat: they call the NodeHost
// without gRPC and past the network, and an answer is lost when the process ends.
type Local struct {
	Target // says where clusters are
	of     func(apiAddress string) (world.LocalAPI, bool)
}

// NewLocal returns a Target that calls the processes that of finds.
func NewLocal(t Target, of func(apiAddress string) (world.LocalAPI, bool)) *Local {
	return &Local{Target: t, of: of}
}

// call reports what an ended process means as a NodeHost would.
func (l *Local) call(ctx context.Context, address string, call func(context.Context, pb.NodeHostAPIServer) error) error {
	err := world.ErrNoProcess
	if api, ok := l.of(address); ok {
		err = api.Call(ctx, call)
	}
	if errors.Is(err, world.ErrNoProcess) {
		refused, bad := status.New(codes.Unavailable, err.Error()).WithDetails(&pb.RaftError{Code: pb.RaftErrorCode_NODEHOST_CLOSED, NoEffect: true})
		return errors.Join(refused.Err(), bad)
	}
	return err
}

// OpenSession implements Target.
func (l *Local) OpenSession(ctx context.Context, address string, cluster uint64) (session *pb.Session, err error) {
	err = l.call(ctx, address, func(ctx context.Context, api pb.NodeHostAPIServer) (err error) {
		session, err = api.GetSession(ctx, &pb.GetSessionRequest{ClusterId: cluster})
		return err
	})
	return session, err
}

// Propose implements Target.
func (l *Local) Propose(ctx context.Context, address string, session *pb.Session, command []byte) (result sm.Result, err error) {
	err = l.call(ctx, address, func(ctx context.Context, api pb.NodeHostAPIServer) error {
		answer, err := api.Propose(ctx, &pb.ProposeRequest{Session: session, Command: command})
		result = sm.Result{Value: answer.GetValue(), Data: answer.GetData()}
		return err
	})
	return result, err
}

// StaleRead implements Target.
func (l *Local) StaleRead(ctx context.Context, address string, cluster uint64, query []byte) ([]byte, error) {
	return l.read(ctx, address, &pb.ReadRequest{ClusterId: cluster, Query: query, Stale: true})
}

// Read implements Target.
func (l *Local) Read(ctx context.Context, address string, cluster uint64, query []byte) ([]byte, error) {
	return l.read(ctx, address, &pb.ReadRequest{ClusterId: cluster, Query: query})
}

func (l *Local) read(ctx context.Context, address string, req *pb.ReadRequest) (data []byte, err error) {
	err = l.call(ctx, address, func(ctx context.Context, api pb.NodeHostAPIServer) error {
		answer, err := api.Read(ctx, req)
		data = answer.GetData()
		return err
	})
	return data, err
}

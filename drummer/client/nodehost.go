// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc/status"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// NodeHost is the API of one NodeHost.
type NodeHost struct {
	client  *Client
	address string
}

// NodeHost returns the API at an address; the client keeps its connection.
func (c *Client) NodeHost(apiAddress string) NodeHost {
	return NodeHost{client: c, address: apiAddress}
}

// NoOpSession makes proposals that are applied as often as they are made.
func NoOpSession(clusterID uint64) *pb.Session { return &pb.Session{ClusterId: clusterID} }

// Propose makes one proposal, once. OutcomeOf returns what an error means.
func (n NodeHost) Propose(ctx context.Context, session *pb.Session, command []byte) (*pb.ProposeResponse, error) {
	api, err := n.api()
	if err != nil {
		return nil, err
	}
	ctx, sent := watched(ctx)
	out, err := api.Propose(ctx, &pb.ProposeRequest{Session: session, Command: command})
	return out, sent.mark(err)
}

// Read asks a cluster's state machine, linearizably.
func (n NodeHost) Read(ctx context.Context, clusterID uint64, query []byte) ([]byte, error) {
	return n.read(ctx, &pb.ReadRequest{ClusterId: clusterID, Query: query})
}

// StaleRead asks the NodeHost's own state machine of the cluster, whatever its
// age.
func (n NodeHost) StaleRead(ctx context.Context, clusterID uint64, query []byte) ([]byte, error) {
	return n.read(ctx, &pb.ReadRequest{ClusterId: clusterID, Query: query, Stale: true})
}

func (n NodeHost) read(ctx context.Context, req *pb.ReadRequest) ([]byte, error) {
	api, err := n.api()
	if err != nil {
		return nil, err
	}
	out, err := api.Read(ctx, req)
	return out.GetData(), err
}

// GetSession registers a session, which makes a repeated proposal apply once.
// After each completed proposal the caller calls Completed on it.
func (n NodeHost) GetSession(ctx context.Context, clusterID uint64) (*pb.Session, error) {
	api, err := n.api()
	if err != nil {
		return nil, err
	}
	return api.GetSession(ctx, &pb.GetSessionRequest{ClusterId: clusterID})
}

// CloseSession ends a registered session.
func (n NodeHost) CloseSession(ctx context.Context, session *pb.Session) error {
	api, err := n.api()
	if err != nil {
		return err
	}
	_, err = api.CloseSession(ctx, session)
	return err
}

// InspectReplica returns what the NodeHost's replica of a cluster has in its log.
func (n NodeHost) InspectReplica(ctx context.Context, clusterID uint64) (*pb.InspectReplicaResponse, error) {
	conn, err := n.client.nodehosts.get(n.address)
	if err != nil {
		return nil, err
	}
	return pb.NewRecoveryClient(conn).InspectReplica(ctx, &pb.InspectReplicaRequest{ClusterId: clusterID})
}

// RecoverReplica makes a new node, the only member of a cluster that lost its quorum
// for good, of the snapshot of the NodeHost's replica. Nothing is started.
func (n NodeHost) RecoverReplica(ctx context.Context, clusterID, newNodeID uint64) (*pb.RecoverReplicaResponse, error) {
	conn, err := n.client.nodehosts.get(n.address)
	if err != nil {
		return nil, err
	}
	return pb.NewRecoveryClient(conn).RecoverReplica(ctx, &pb.RecoverReplicaRequest{ClusterId: clusterID, NewNodeId: newNodeID})
}

func (n NodeHost) api() (pb.NodeHostAPIClient, error) {
	conn, err := n.client.nodehosts.get(n.address)
	if err != nil {
		return nil, err
	}
	return pb.NewNodeHostAPIClient(conn), nil
}

// Completed makes a registered session ready for the next proposal, once the
// last one was answered.
func Completed(session *pb.Session) {
	session.RespondedTo = session.SeriesId
	session.SeriesId++
}

// Outcome is what is known of an operation's effect.
type Outcome int

// The three outcomes. Unknown means that it may take effect any time after it
// was sent, or never.
const (
	OK Outcome = iota
	NoEffect
	Unknown
)

// String names the outcome as histories do.
func (o Outcome) String() string {
	switch o {
	case OK:
		return "ok"
	case NoEffect:
		return "fail"
	case Unknown:
		return "unknown"
	default:
		return fmt.Sprintf("Outcome(%d)", int(o))
	}
}

// OutcomeOf returns what the error of a proposal says about its effect. NoEffect
// is only what never left this client, such as one to a cluster of which no member is
// known, and what a NodeHost itself says had none: gRPC's own errors (Unavailable,
// DeadlineExceeded, Canceled …) do not report whether the request was sent.
func OutcomeOf(err error) Outcome {
	switch {
	case err == nil:
		return OK
	case errors.Is(err, ErrClosed), errors.Is(err, errNotSent), errors.As(err, new(noEffect)): // found before anything was sent
		return NoEffect
	}
	if detail := RaftErrorOf(err); detail.GetNoEffect() {
		return NoEffect
	}
	return Unknown
}

// RaftErrorOf returns the detail that a NodeHost put into an error; nil when
// there is none.
func RaftErrorOf(err error) *pb.RaftError {
	st, ok := status.FromError(err)
	if !ok {
		return nil
	}
	for _, detail := range st.Details() {
		if raft, ok := detail.(*pb.RaftError); ok {
			return raft
		}
	}
	return nil
}

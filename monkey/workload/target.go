// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"context"

	sm "github.com/lni/dragonboat/v3/statemachine"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// Member is a NodeHost that can be asked about a cluster.
type Member struct {
	Address string // of its NodeHostAPI
	Running bool   // as far as is known
}

// Target is the deployment as the clients see it. All methods may be called at
// the same time, return soon after their context ends, and report what
// NodeHosts say as client.OutcomeOf and client.RaftErrorOf understand it.
type Target interface {
	// Locate returns the members of a cluster, in any order.
	Locate(ctx context.Context, cluster uint64) ([]Member, error)
	// Forget says that what Locate returned has turned out to be wrong.
	Forget(cluster uint64)
	// OpenSession registers a client session with a cluster.
	OpenSession(ctx context.Context, address string, cluster uint64) (*pb.Session, error)
	// Propose makes a proposal once, and returns the result.
	Propose(ctx context.Context, address string, session *pb.Session, command []byte) (sm.Result, error)
	// Read asks linearizably.
	Read(ctx context.Context, address string, cluster uint64, query []byte) ([]byte, error)
	// StaleRead asks the replica there for what it holds.
	StaleRead(ctx context.Context, address string, cluster uint64, query []byte) ([]byte, error)
}

// SPDX-License-Identifier: Apache-2.0

package rpc

import (
	"context"
	"runtime"

	"google.golang.org/grpc/stats"
)

// yielding is a stats.Handler that lets others run before gRPC repeats a call on its
// own. Once a write to a connection has failed, and until its reader has come to see
// that, gRPC takes the connection for one that works: it repeats the call at once and
// without end, and keeps something of each attempt in memory. Where a goroutine runs
// until it waits, as in an exact run of the simulation, the reader would never see it.
type yielding struct{}

var _ stats.Handler = yielding{}

// HandleRPC implements stats.Handler.
func (yielding) HandleRPC(_ context.Context, event stats.RPCStats) {
	if begin, ok := event.(*stats.Begin); ok && begin.IsTransparentRetryAttempt {
		runtime.Gosched()
	}
}

// TagRPC implements stats.Handler.
func (yielding) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

// TagConn implements stats.Handler.
func (yielding) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

// HandleConn implements stats.Handler.
func (yielding) HandleConn(context.Context, stats.ConnStats) {}

// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"google.golang.org/grpc/stats"
)

// errNotSent is in the error of a proposal that never left the client: no
// connection could be made, or none was free, before the call ended. The code
// of the error does not say so: gRPC gives Unavailable for a connection that
// was refused and for one that broke after the request was on it.
var errNotSent = errors.New("nothing was sent")

// noEffect is an error of a proposal that was made to nobody, because nobody is known
// who could take it.
type noEffect struct{ error }

func (e noEffect) Unwrap() error { return e.error }

// sent is set when gRPC hands any part of a call, its header first, to a
// connection. Whether those bytes went further is unknown.
type sent struct{ atomic.Bool }

type sentKey struct{}

// watched returns a context for one call, and what reports whether it was sent,
// with all that gRPC repeats of it on its own.
func watched(ctx context.Context) (context.Context, *sent) {
	s := new(sent)
	return context.WithValue(ctx, sentKey{}, s), s
}

// mark adds errNotSent to the error of a call that ended without being sent.
func (s *sent) mark(err error) error {
	if err == nil || s.Load() {
		return err
	}
	return fmt.Errorf("%w: %w", errNotSent, err)
}

// sentWatcher is the stats.Handler that sets what watched returned. gRPC calls
// it of a call's header from within the call, once the header is queued for a
// connection and before the request itself is: what was not told of here when
// the call returns, no server can have acted upon.
type sentWatcher struct{}

var _ stats.Handler = sentWatcher{}

// HandleRPC implements stats.Handler.
func (sentWatcher) HandleRPC(ctx context.Context, event stats.RPCStats) {
	switch event.(type) {
	case *stats.OutHeader, *stats.OutPayload:
		if s, ok := ctx.Value(sentKey{}).(*sent); ok {
			s.Store(true)
		}
	}
}

// TagRPC implements stats.Handler.
func (sentWatcher) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

// TagConn implements stats.Handler.
func (sentWatcher) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

// HandleConn implements stats.Handler.
func (sentWatcher) HandleConn(context.Context, stats.ConnStats) {}

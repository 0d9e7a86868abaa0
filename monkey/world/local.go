// SPDX-License-Identifier: Apache-2.0

package world

import (
	"context"
	"errors"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// What LocalAPI.Call returns for the process.
var (
	// ErrNoProcess: nothing was called.
	ErrNoProcess = errors.New("no process runs there")
	// ErrProcessEnded: what became of the call is unknown.
	ErrProcessEnded = errors.New("the process ended during a call within it")
)

// LocalAPI is the NodeHost API of a process for code in that process. It is past
// the network, and ends with the process.
type LocalAPI interface {
	// Call calls call, with a context that ends with ctx and with the process. When
	// the process ends, whatever call returns is lost and the error is
	// ErrProcessEnded.
	Call(ctx context.Context, call func(context.Context, pb.NodeHostAPIServer) error) error
}

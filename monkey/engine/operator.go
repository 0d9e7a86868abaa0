// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"fmt"
	"slices"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/monkey/fault"
)

// operator is the scenario's operator as faults have it: a fault.Operator.
type operator struct{ *runner }

// Drain implements fault.Operator.
func (o operator) Drain(ctx context.Context, host string) error {
	_, err := o.setMode(ctx, host, pb.HostMode_DRAIN)
	if status.Code(err) == codes.FailedPrecondition {
		return fmt.Errorf("%w: %w", fault.ErrNoRoom, err)
	}
	return err
}

// Activate implements fault.Operator.
func (o operator) Activate(ctx context.Context, host string) error {
	_, err := o.setMode(ctx, host, pb.HostMode_ACTIVE)
	return err
}

// IsEmpty implements fault.Operator.
func (o operator) IsEmpty(host string) bool {
	inspection, err := o.w.Inspect(context.Background(), host)
	return err == nil && len(inspection.Nodes) == 0
}

// Clusters implements fault.Operator. Those that clients use come first in the scenario,
// and are all that there are unless an action or a fault made more.
func (o operator) Clusters() []uint64 {
	return slices.DeleteFunc(o.wanted.clusters(), func(id uint64) bool {
		return id >= uint64(o.scenario.Clusters.First+o.scenario.Clusters.Count)
	})
}

// Resize implements fault.Operator.
func (o operator) Resize(ctx context.Context, members int, clusters ...uint64) error {
	if members == 0 {
		members = o.scenario.Clusters.Size
	}
	return o.resizeTo(ctx, members, clusters)
}

// Create implements fault.Operator.
func (o operator) Create(ctx context.Context, clusters int) ([]uint64, error) {
	return o.createNew(ctx, clusters)
}

// Delete implements fault.Operator.
func (o operator) Delete(ctx context.Context, clusters ...uint64) error {
	return o.deleteThese(ctx, clusters)
}

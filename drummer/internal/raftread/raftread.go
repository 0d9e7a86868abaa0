// SPDX-License-Identifier: Apache-2.0

// Package raftread asks whether a Raft node can be read from linearizably. It
// reads nothing itself.
package raftread

import (
	"context"
	"time"

	"github.com/lni/dragonboat/v3"
)

// Ready reports whether the local node of a cluster reached, within timeout, the
// index that was committed when it was asked: a linearizable read would succeed.
func Ready(ctx context.Context, nodehost *dragonboat.NodeHost, clusterID uint64, timeout time.Duration) bool {
	state, err := nodehost.ReadIndex(clusterID, timeout)
	if err != nil {
		return false
	}
	select {
	case result := <-state.ResultC():
		defer state.Release()
		return result.Completed()
	case <-time.After(timeout):
		return false
	case <-ctx.Done():
		return false
	}
}

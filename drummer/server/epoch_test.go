// SPDX-License-Identifier: Apache-2.0

package server

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// A NodeHost obeys one set of servers: the newest of its deployment, once the older
// ones count it as dead. Servers that newer ones have taken a NodeHost from decide
// nothing more.
func TestANodeHostGoesToNewerServersAndNeverBack(t *testing.T) {
	const own = 5 // the epoch of these servers
	dead := newMemoryServer(t, newBase(t)).server.timeToLive()
	for name, tc := range map[string]struct {
		deployment, epoch uint64
		silence           time.Duration
		refused, pauses   bool
	}{
		"it is new":                              {},
		"it is theirs":                           {deployment: 7, epoch: own},
		"it is of another deployment":            {deployment: 8, epoch: own, refused: true},
		"newer servers have it":                  {deployment: 7, epoch: own + 1, refused: true, pauses: true},
		"newer servers had it, long ago":         {deployment: 7, epoch: own + 1, silence: 100 * dead, refused: true, pauses: true},
		"older servers have it":                  {deployment: 7, epoch: own - 1, silence: dead - 1, refused: true},
		"it heard nothing from the older ones":   {deployment: 7, epoch: own - 1, silence: dead},
		"it heard nothing from the oldest ones":  {deployment: 7, epoch: 0, silence: dead},
		"it is of another one and heard nothing": {deployment: 8, epoch: own - 1, silence: 100 * dead, refused: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newMemoryServer(t, newBase(t))
			state := *w.group.state
			state.DeploymentEpoch = own
			err := w.server.fenceHost(w.ctx, &state, &pb.Hello{Host: &pb.NodeHostInfo{NodehostId: "A"},
				DeploymentId: tc.deployment, DeploymentEpoch: tc.epoch, DeploymentSilenceNs: int64(tc.silence)})
			if tc.refused {
				require.Equal(t, codes.FailedPrecondition, status.Code(err), "%v", err)
			} else {
				require.NoError(t, err)
			}
			require.Equal(t, tc.pauses, w.group.state.Paused)
		})
	}
}

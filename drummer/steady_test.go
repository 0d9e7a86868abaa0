// SPDX-License-Identifier: Apache-2.0

package drummer_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	"github.com/drumbeat-raft/drumbeat/drummer/server"
)

// A deployment in which nothing happens writes one small entry a tick, whatever
// its size.
func TestSteadyDeploymentWritesATickATick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newDeployment(t, 1, 4)
		w.untilAttached()
		w.launch(20)
		time.Sleep(10 * time.Second)
		index := func() uint64 {
			answer, err := w.servers[w.leader()].NodeHost().StaleRead(server.ClusterID, db.GetState{})
			require.NoError(t, err)
			return answer.(*db.State).Index
		}
		before := index()
		time.Sleep(time.Minute)
		require.InDelta(t, 60, index()-before, 3)
	})
}

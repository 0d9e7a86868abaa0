// SPDX-License-Identifier: Apache-2.0

package drummer_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	drummerserver "github.com/drumbeat-raft/drumbeat/drummer/server"
)

// A deployment in which nothing happens writes one small entry a tick, whatever
// its size.
func TestSteadyDeploymentWritesATickATick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newDeployment(t, 1, 4)
		w.untilAttached()
		w.launch(20)
		time.Sleep(10 * time.Second)
		index := func() uint64 { return w.state(w.leader()).Index }
		before := index()
		time.Sleep(time.Minute)
		require.InDelta(t, 60, index()-before, 3)
	})
}

// state is DrummerDB as a server has it.
func (w *deployment) state(server uint64) *db.State {
	w.t.Helper()
	answer, err := w.servers[server].NodeHost().StaleRead(drummerserver.ClusterID, db.GetState{})
	require.NoError(w.t, err)
	return answer.(*db.State)
}

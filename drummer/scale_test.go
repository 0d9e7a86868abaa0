// SPDX-License-Identifier: Apache-2.0

package drummer_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/lni/dragonboat/v3"
	"github.com/stretchr/testify/require"
)

// A thousand clusters are launched while one of five hosts crashes in the
// middle: all of them are, in the end without the dead host.
func TestLaunchOfAThousandClusters(t *testing.T) {
	if testing.Short() {
		t.Skip("three thousand Raft nodes take half a minute of CPU")
	}
	synctest.Test(t, func(t *testing.T) {
		w := newSlowDeployment(t, 3, 5, 500)
		w.untilAttached()
		start := time.Now()
		clusters := w.define(1000)
		dead := w.hosts[3].nodehost.RaftAddress()
		w.until(time.Minute, "half of the nodes run", func() bool { running, _ := w.nodes(); return running >= 1500 })
		w.stopHost(3)
		w.until(5*time.Minute, "all clusters run without the dead host", func() bool { return w.whole(clusters, dead) })
		t.Logf("launched and repaired in %v of virtual time", time.Since(start))
		require.Less(t, time.Since(start), 3*time.Minute)
	})
}

// A host with a hundred nodes dies: all of them are replaced within its time to
// live and ten seconds.
func TestHundredNodesAreReplacedInTime(t *testing.T) {
	if testing.Short() {
		t.Skip("four hundred Raft nodes take ten seconds of CPU")
	}
	synctest.Test(t, func(t *testing.T) {
		w := newDeployment(t, 3, 4)
		w.untilAttached()
		clusters := w.launch(134)
		h := w.hosts[1].nodehost.GetNodeHostInfo(dragonboat.NodeHostInfoOption{SkipLogInfo: true})
		require.GreaterOrEqual(t, len(h.ClusterInfoList), 90, "spread evenly over four hosts")
		w.loseHost(1, clusters)
	})
}

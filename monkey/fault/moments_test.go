// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// bringing says which other fault makes a moment come, in a deployment of five
// NodeHosts with a Raft cluster on three of them; empty: clients' writes do. Each
// begins after the fault that waits for the moment.
var bringing = map[scenarios.Moment]string{
	scenarios.SnapshotSaving:     "",
	scenarios.SnapshotSaved:      "",
	scenarios.SnapshotSending:    "kind: fall-behind, target: cluster-follower of 1, at: [5s], for: 30s",
	scenarios.SnapshotSent:       "kind: fall-behind, target: cluster-follower of 1, at: [5s], for: 30s",
	scenarios.SnapshotReceived:   "kind: fall-behind, target: cluster-follower of 1, at: [5s], for: 30s",
	scenarios.SnapshotRecovered:  "kind: fall-behind, target: cluster-follower of 1, at: [5s], for: 30s",
	scenarios.TableWriting:       "kind: crash-loop, target: cluster-follower of 1, at: [5s], for: 20s, up: 5s",
	scenarios.LogCompacted:       "",
	scenarios.MembershipChanging: "kind: kill, target: cluster-follower of 1, at: [5s], forever: true",
	scenarios.MembershipChanged:  "kind: kill, target: cluster-follower of 1, at: [5s], forever: true",
	scenarios.Elected:            "kind: transfer-leader, target: cluster-leader of 1, at: [5s]",
	scenarios.DrummerElected:     "kind: kill, target: drummer-leader, at: [5s], for: 20s",
	scenarios.RepairStep:         "kind: kill, target: cluster-follower of 1, at: [5s], forever: true",
}

// TestEachMomentComes kills the host on which a moment comes: each of them does, on
// a host that plays its part, and the deployment is well afterwards.
func TestEachMomentComes(t *testing.T) {
	for _, m := range scenarios.MomentKinds() {
		t.Run(m.Name, func(t *testing.T) {
			other, ok := bringing[m.Name]
			require.True(t, ok, "a new moment needs an entry in the table: what makes it come")
			synctest.Test(t, func(t *testing.T) { strikesAtMoment(t, m.Name, other) })
		})
	}
}

func strikesAtMoment(t *testing.T, moment scenarios.Moment, other string) {
	faults := "[{kind: kill, target: there, when: " + moment + ", for: 5s, lose_quorum: true}"
	if other != "" {
		faults += ", {" + other + ", lose_quorum: true}"
	}
	s, err := scenarios.Parse("test.yaml", []byte("name: test\nduration: 90s\ndeployment: {drummers: 3, nodehosts: 5}\nfaults: "+faults+"]\n"))
	require.NoError(t, err)
	w := simulation(s)
	defer w.Stop()
	require.NoError(t, w.Start(t.Context()))
	write, closeClient := launchOne(t, w)
	defer closeClient()

	r, done := injecting(t, w, s)
	var over error
	for running := true; running; {
		_ = write()
		select {
		case over = <-done:
			running = false
		case <-time.After(time.Second):
		}
	}
	require.NoError(t, over)

	var struck *timeline.InjectionBegan
	for _, f := range facts[timeline.InjectionBegan](r) {
		if f.Target == string(scenarios.There) {
			struck = &f
		}
	}
	require.NotNil(t, struck, "the moment did not come: %v", facts[timeline.InjectionSkipped](r))
	require.Positive(t, struck.Effect.ProcessesEnded)
	role := world.NodeHost
	if strings.HasPrefix(struck.Hosts[0], "drummer") {
		role = world.Drummer
	}
	require.Equal(t, moment == scenarios.DrummerElected, role == world.Drummer, "%s on %v", moment, struck.Hosts)
	require.Eventually(t, func() bool { return write() == nil }, time.Minute, time.Second)
}

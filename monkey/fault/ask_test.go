// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

func TestDragonboatIsAskedForThings(t *testing.T) {
	for kind, want := range map[string]string{
		"kind: transfer-leader, target: cluster-leader of 7": "5s transfer-leader of cluster 7 nodehost-3",
		"kind: snapshot, target: cluster-leader of 7":        "5s snapshot of cluster 7 nodehost-3",
		"kind: compact-log, target: cluster-leader of 7":     "5s compact of cluster 7 nodehost-3",
		"kind: remove-leader, target: cluster-leader of 7":   "5s remove-leader of cluster 7 nodehost-3",
	} {
		journal, r := journalOf(t, nil, nil, kind+", at: [5s]")
		require.Equal(t, []string{want}, journal)
		ended := facts[timeline.InjectionEnded](r)
		require.Len(t, ended, 1)
		require.Equal(t, world.Effect{RequestsAccepted: 1}, *ended[0].Effect)
	}
	_, err := scenarios.Parse("test.yaml", []byte("name: test\nfaults: [{kind: snapshot, count: 1, for: 10s, target: nodehost}]\n"))
	require.ErrorContains(t, err, "lasts no time")
	strikesSimulation(t, "kind: transfer-leader, target: cluster-leader of 1")
	strikesSimulation(t, "kind: remove-leader, target: cluster-leader of 1")
	strikesSimulation(t, "kind: snapshot, target: cluster-follower of 1")
}

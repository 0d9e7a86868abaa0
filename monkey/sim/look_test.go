// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"bytes"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/drummer/client"
	"github.com/drumbeat-raft/drumbeat/monkey/sim/raftstate"
)

// seen looks at a subject while everybody else in the bubble waits.
func seen(t *testing.T, w *World, began time.Time, subject string) string {
	t.Helper()
	of, err := ParseSubject(subject)
	require.NoError(t, err)
	synctest.Wait()
	var out bytes.Buffer
	require.NoError(t, w.Look(&out, of, time.Since(began)))
	return out.String()
}

func TestLookAtACluster(t *testing.T) {
	inWorld(t, func(t *testing.T, w *World, c *client.Client) {
		require.NoError(t, put(t.Context(), c, "k", "second"))
		time.Sleep(5 * time.Second) // followers learn of the commit, Drummer of the leader
		leader, ok := w.ClusterLeader(1)
		require.True(t, ok)
		text := seen(t, w, w.made, "cluster 1")
		nodes, err := raftstate.Read(w.byName[leader].running().(*nodeHost).dragonboat)
		require.NoError(t, err)
		require.Len(t, nodes, 1)
		n := nodes[0]
		require.Equal(t, "leader", n.Role)
		require.Equal(t, n.NodeID, n.LeaderID)
		require.Equal(t, n.Committed, n.Applied)
		require.Contains(t, text, fmt.Sprintf("node %d on %s: leader\n", n.NodeID, leader))
		require.Regexp(t, fmt.Sprintf(`(?s)(log from \d+ to %d, commit %d, applied %d.*){3}`, n.LastIndex, n.Committed, n.Applied), text)
		require.Regexp(t, fmt.Sprintf(`(term %d, vote \d+, leader %d(?s:.*)){3}`, n.Term, n.LeaderID), text)
		require.Contains(t, text, fmt.Sprintf("follows leader %d in term %d, available: true", n.LeaderID, n.Term))
		require.Contains(t, text, fmt.Sprintf("to match %d, next %d, replicate", n.LastIndex, n.LastIndex+1))
		require.Regexp(t, `(?s)(digest after update 2: (\w+\.\w+)\n.*){3}`, text)

		effect, err := w.Kill(leader)
		require.NoError(t, err)
		require.EqualValues(t, 1, effect.ProcessesEnded)
		require.Contains(t, seen(t, w, w.made, "cluster 1"), fmt.Sprintf("node %d on %s: the host's process is down\n", n.NodeID, leader))
		require.Contains(t, seen(t, w, w.made, "nodehost "+leader), "its process is down; it was started 1 times")
		require.Contains(t, seen(t, w, w.made, "network"), leader+" (its process is dead) reaches everybody")
	})
}

func TestLookAtDrummerAndTheNetwork(t *testing.T) {
	inWorld(t, func(t *testing.T, w *World, _ *client.Client) {
		leader, ok := w.DrummerLeader()
		require.True(t, ok)
		text := seen(t, w, w.made, "drummer")
		require.Contains(t, text, leader+": leads and may act in term ")
		require.Contains(t, text, "4 hosts, 1 clusters, 0 operations")
		w.net.Isolate("nodehost-2")
		text = seen(t, w, w.made, "network")
		require.Contains(t, text, "nodehost-2 reaches nobody, and not clients, drummer-1")
		require.Contains(t, text, "drummer-1 → nodehost-2: cut")
		require.Contains(t, seen(t, w, w.made, "cluster 7"), "no node of it runs on any host")
		require.Contains(t, seen(t, w, w.made, "nodehost 9"), "no such host")
	})
}

func TestSubjects(t *testing.T) {
	for _, text := range []string{"cluster 3", "nodehost nodehost-2", "drummer", "network"} {
		of, err := ParseSubject(text)
		require.NoError(t, err)
		require.Equal(t, text, of.String())
	}
	of, err := ParseSubject("nodehost 2")
	require.NoError(t, err)
	require.Equal(t, "nodehost nodehost-2", of.String())
	for _, text := range []string{"", "cluster", "cluster x", "cluster 1 2", "host 3"} {
		_, err := ParseSubject(text)
		require.ErrorContains(t, err, "can't be looked at", text)
	}
}

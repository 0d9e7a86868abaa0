// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// journalOf carries out faults, one a line, for a minute on a board, and returns
// what was done to processes.
func journalOf(t *testing.T, set func(b *board), meanwhile func(b *board) map[time.Duration]func(), faults ...string) (journal []string, r *record) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := newBoard()
		if set != nil {
			set(b)
		}
		if meanwhile == nil {
			meanwhile = func(*board) map[time.Duration]func() { return nil }
		}
		r = carryOut(t, b, planOf(t, faults...), meanwhile(b))
		journal = b.journal()
	})
	return journal, r
}

func TestRollingEveryHostTwiceIsOneEntry(t *testing.T) {
	journal, _ := journalOf(t, nil, nil, "kind: kill, target: each drummer, at: [1s], for: 2s, gap: 3s, times: 2")
	var want []string
	for i := range 6 {
		host := fmt.Sprintf("drummer-%d", i%3+1)
		want = append(want, fmt.Sprintf("%ds kill %s", 1+5*i, host), fmt.Sprintf("%ds boot %s", 3+5*i, host))
	}
	require.Equal(t, want, journal)
}

func TestAStepOfASequenceWaitsForTheEndOfTheOneBefore(t *testing.T) {
	// The first kill has to wait for ten seconds.
	set := func(b *board) { b.unsafe = true }
	free := func(b *board) map[time.Duration]func() {
		return map[time.Duration]func(){10500 * time.Millisecond: func() { b.set(func() { b.unsafe = false }) }}
	}
	journal, _ := journalOf(t, set, free,
		"at: [1s], gap: 2s, sequence: [{kind: kill, target: nodehost-1, for: 5s}, {kind: power-loss, target: nodehost-2, for: 1s}]")
	require.Equal(t, []string{"11s kill nodehost-1", "16s boot nodehost-1", "18s power-loss nodehost-2", "19s boot nodehost-2"}, journal)
}

func TestAStepFollowsOneThatWasSkipped(t *testing.T) {
	set := func(b *board) { b.joining = "" }
	journal, r := journalOf(t, set, nil,
		"at: [1s], sequence: [{probability: 1%, kind: kill, target: nodehost-1, for: 5s}, {kind: kill, target: nodehost-2, for: 1s}]")
	require.Equal(t, []string{"1s kill nodehost-2", "2s boot nodehost-2"}, journal, "an unlikely one leaves no gap")
	require.Empty(t, facts[timeline.InjectionSkipped](r))
}

func TestTogetherBeginsAtOneInstantOrNotAtAll(t *testing.T) {
	together := "at: [1s], together: [{kind: kill, target: nodehost-1, for: 5s}, {kind: kill, target: drummer-leader, for: 2s}]"
	journal, _ := journalOf(t, nil, nil, together)
	require.Equal(t, []string{"1s kill nodehost-1", "1s kill drummer-1", "3s boot drummer-1", "6s boot nodehost-1"}, journal)

	noLeader := func(b *board) { b.leader = "" }
	elected := func(b *board) map[time.Duration]func() {
		return map[time.Duration]func(){7500 * time.Millisecond: func() { b.set(func() { b.leader = "drummer-3" }) }}
	}
	journal, _ = journalOf(t, noLeader, elected, together)
	require.Equal(t, []string{"8s kill nodehost-1", "8s kill drummer-3", "10s boot drummer-3", "13s boot nodehost-1"}, journal)
}

func TestNothingGoesOnBesideAnExclusiveFault(t *testing.T) {
	journal, _ := journalOf(t, nil, nil,
		"kind: kill, target: nodehost-1, at: [1s], for: 5s",
		"at: [2s], exclusive: true, gap: 2s, sequence: [{kind: kill, target: nodehost-2, for: 2s}, {kind: kill, target: nodehost-3, for: 2s}]",
		"kind: kill, target: nodehost-4, at: [8s], for: 1s")
	require.Equal(t, []string{
		"1s kill nodehost-1", "6s boot nodehost-1",
		"6s kill nodehost-2", "8s boot nodehost-2", "10s kill nodehost-3", "12s boot nodehost-3",
		"12s kill nodehost-4", "13s boot nodehost-4",
	}, journal)
}

func TestAFaultStrikesAtItsMoments(t *testing.T) {
	come := func(b *board) map[time.Duration]func() {
		at := map[time.Duration]func(){}
		for i, host := range []string{"nodehost-2", "nodehost-4", "nodehost-5", "nodehost-1"} {
			at[time.Duration(5+10*i)*time.Second] = func() {
				b.moments <- world.Moment{Kind: scenarios.SnapshotReceived, At: time.Now(), Host: host, Cluster: 3}
			}
		}
		return at
	}
	journal, r := journalOf(t, nil, come,
		"kind: kill, target: there, when: snapshot-received, after: 10s, at_most: 2, for: 2s",
		"kind: kill, target: cluster-leader, when: snapshot-saved, for: 2s")
	require.Equal(t, []string{"15s kill nodehost-4", "17s boot nodehost-4", "25s kill nodehost-5", "27s boot nodehost-5"}, journal)
	skipped := facts[timeline.InjectionSkipped](r)
	require.Len(t, skipped, 1)
	require.Equal(t, "its moment did not come", skipped[0].Reason)
}

func TestAllMeansThoseThatAreThere(t *testing.T) {
	journal, _ := journalOf(t, nil, nil,
		"kind: kill, target: nodehost-2, at: [1s], for: 10s",
		"kind: power-loss, target: all nodehost, at: [5s], for: 10s, lose_quorum: true")
	require.Equal(t, []string{
		"1s kill nodehost-2", "5s power-loss nodehost-1", "5s power-loss nodehost-2", "5s power-loss nodehost-3", "5s power-loss nodehost-4", "5s power-loss nodehost-5",
		"15s boot nodehost-1", "15s boot nodehost-2", "15s boot nodehost-3", "15s boot nodehost-4", "15s boot nodehost-5",
	}, journal, "a host that is down already stays so as long as the others")
}

func TestTargetsByTheirPartInACluster(t *testing.T) {
	for target, want := range map[string]string{
		"cluster-leader":          "nodehost-3",
		"cluster-follower of 7":   "nodehost-1 nodehost-2",
		"all cluster-member of 7": "nodehost-1 nodehost-2 nodehost-3",
		"2 cluster-member of 7":   "nodehost-1 nodehost-2 nodehost-3",
		"drummer-follower":        "drummer-2 drummer-3",
		"minority drummer":        "drummer-1 drummer-2 drummer-3",
		"nodehost-1 drummer-3":    "nodehost-1 drummer-3",
		"60% nodehost":            "nodehost-1 nodehost-2 nodehost-3 nodehost-4 nodehost-5",
		"majority cluster-member": "nodehost-1 nodehost-2 nodehost-3",
		"minority cluster-member": "nodehost-1 nodehost-2 nodehost-3",
		"all host":                "drummer-1 drummer-2 drummer-3 nodehost-1 nodehost-2 nodehost-3 nodehost-4 nodehost-5",
	} {
		number := map[string]int{"cluster-leader": 1, "cluster-follower of 7": 1, "all cluster-member of 7": 3, "2 cluster-member of 7": 2, "drummer-follower": 1,
			"minority drummer": 1, "nodehost-1 drummer-3": 2, "60% nodehost": 3, "majority cluster-member": 2, "minority cluster-member": 1, "all host": 8}[target]
		_, r := journalOf(t, nil, nil, "kind: kill, target: "+target+", at: [1s], for: 1s, lose_quorum: true")
		hosts := r.began(t, 1).Hosts
		require.Len(t, hosts, number, "%s: %v", target, hosts)
		require.Subset(t, strings.Fields(want), hosts, target)
	}
}

func TestRangesAreDrawnOnceForEachInjection(t *testing.T) {
	kind, _ := scenarios.FaultKindOf("lossy")
	_, r := journalOf(t, nil, nil, "kind: lossy, target: nodehost, every: 5s, for: 1s, drop: 5%..90%")
	seen := map[string]bool{}
	for _, f := range facts[timeline.InjectionBegan](r) {
		seen[f.Drawn] = true
		p, err := kind.ParseParameters(f.Drawn)
		require.NoError(t, err)
		drop := p.(*lossy).Drop
		require.Equal(t, drop.Min, drop.Max)
		require.True(t, drop.Min >= 5 && drop.Min <= 90, "%v", drop)
	}
	require.Greater(t, len(seen), 3)
}

// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// onBoard runs f in a bubble with a board.
func onBoard(t *testing.T, f func(t *testing.T, b *board)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t, newBoard()) })
}

func TestInjectorBeginsEndsAndBootsOnTime(t *testing.T) {
	onBoard(t, func(t *testing.T, b *board) {
		r := carryOut(t, b, planOf(t,
			"kind: kill, target: nodehost-1, at: [5s, 25s], for: 20s",
			"kind: power-loss, target: nodehost-2, at: [10s], for: 5s",
			"kind: kill, target: drummer-leader, at: [50s], for: 1h",
		), nil)
		require.Equal(t, []string{
			"5s kill nodehost-1", "10s power-loss nodehost-2", "15s boot nodehost-2",
			"25s boot nodehost-1", "25s kill nodehost-1", "45s boot nodehost-1", "50s kill drummer-1", "1m0s boot drummer-1",
		}, b.journal(), "what ends at an instant is over for what begins at it")
		for i, began := range facts[timeline.InjectionBegan](r) {
			require.Equal(t, []int{0, 1, 0, 2}[i], began.Entry)
			require.Empty(t, began.Waited)
			require.True(t, began.Exact)
		}
		require.Empty(t, facts[timeline.InjectionSkipped](r))
	})
}

func TestInjectorLeavesTheDeadDead(t *testing.T) {
	onBoard(t, func(t *testing.T, b *board) {
		r := carryOut(t, b, planOf(t,
			"kind: kill, target: nodehost-1, at: [1s], forever: true",
			"kind: kill, target: nodehost-1, at: [2s], for: 1s"), nil)
		require.Equal(t, []string{"1s kill nodehost-1"}, b.journal())
		require.True(t, r.began(t, 1).Forever)
		require.Equal(t, []timeline.InjectionSkipped{{ID: 2, Fault: "kill", Target: "nodehost-1", Planned: 2 * time.Second, Exact: true,
			Reason: "host nodehost-1 does not run"}}, facts[timeline.InjectionSkipped](r))
	})
}

func TestOverlappingFaultsShareLinks(t *testing.T) {
	onBoard(t, func(t *testing.T, b *board) {
		quality := func() world.Link { return b.link("nodehost-1", "nodehost-2") }
		carryOut(t, b, planOf(t,
			"kind: partition, target: nodehost-1, at: [5s], for: 15s",
			"kind: lossy, target: nodehost-2, at: [10s], for: 30s, drop: 50%",
		), map[time.Duration]func(){
			15 * time.Second: func() { require.Equal(t, world.Link{Cut: true, Drop: 0.5}, quality(), "both faults") },
			25 * time.Second: func() {
				require.Equal(t, world.Link{Drop: 0.5}, quality(), "the partition ended, the loss goes on")
			},
			41 * time.Second: func() { requireWhole(t, b) },
		})
	})
}

func TestAFaultWaitsForTheQuorumAndSaysSo(t *testing.T) {
	onBoard(t, func(t *testing.T, b *board) {
		b.unsafe = true
		r := carryOut(t, b, planOf(t, "kind: kill, target: nodehost-1, at: [5s], for: 10s"), map[time.Duration]func(){
			19500 * time.Millisecond: func() { b.set(func() { b.unsafe = false }) },
		})
		require.Equal(t, []string{"20s kill nodehost-1", "30s boot nodehost-1"}, b.journal())
		began := r.began(t, 1)
		require.Equal(t, 5*time.Second, began.Planned)
		require.Equal(t, "losing [nodehost-1] would cost a cluster its quorum", began.Waited)
	})
}

// A host that comes back without its disk is as good as dead to its clusters.
func TestALostDiskIsALossForGood(t *testing.T) {
	onBoard(t, func(t *testing.T, b *board) {
		b.degraded = true
		r := carryOut(t, b, planOf(t,
			"kind: wipe, target: nodehost-1, at: [1s], for: 1s",
			"kind: kill, target: nodehost-2, at: [2s], for: 1s"), nil)
		require.Equal(t, []string{"2s kill nodehost-2", "3s boot nodehost-2"}, b.journal())
		skipped := facts[timeline.InjectionSkipped](r)
		require.Len(t, skipped, 1)
		require.Equal(t, "losing [nodehost-1] would cost a cluster its quorum", skipped[0].Reason)
	})
}

func TestAFaultThatWaitsInVainIsSkippedAndHoldsNobodyUp(t *testing.T) {
	onBoard(t, func(t *testing.T, b *board) {
		b.unsafe = true
		r := carryOut(t, b, planOf(t,
			"kind: kill, target: nodehost-1, at: [5s], for: 10s",
			"kind: kill, target: nodehost-2, at: [6s], for: 1s, lose_quorum: true",
			"kind: kill, target: nodehost-3, at: [1m], for: 1s, lose_quorum: true"), nil)
		require.Equal(t, []string{"6s kill nodehost-2", "7s boot nodehost-2"}, b.journal())
		skipped := facts[timeline.InjectionSkipped](r)
		require.Len(t, skipped, 2)
		require.Equal(t, 1, skipped[0].ID)
		require.Contains(t, skipped[0].Reason, "quorum")
		require.Equal(t, 3, skipped[1].ID)
		require.Contains(t, skipped[1].Reason, "was over")
	})
}

func TestAFaultIsSkippedAfterTheRetryLimit(t *testing.T) {
	onBoard(t, func(t *testing.T, b *board) {
		b.unsafe = true
		r := &record{start: b.start}
		in := NewInjector(b, r, b.safe, b)
		require.NoError(t, in.Run(t.Context(), b.start, time.Hour, planOf(t, "kind: kill, target: nodehost-1, at: [5s], for: 10s")))
		require.Len(t, r.entries, 1)
		require.Equal(t, 5*time.Second+retryLimit, r.entries[0].At)
	})
}

// Of faults of one instant, those that together cost a quorum do not all strike.
func TestFaultsOfOneInstantAreJudgedTogether(t *testing.T) {
	onBoard(t, func(t *testing.T, b *board) {
		r := &record{start: b.start}
		in := NewInjector(b, r, func(hosts, lost []string, _ bool) bool { return len(hosts)+len(lost) <= 2 }, nil)
		require.NoError(t, in.Run(t.Context(), b.start, time.Minute, planOf(t,
			"kind: kill, target: nodehost-1, at: [5s], for: 10s",
			"kind: partition, target: nodehost-2, at: [5s], for: 10s",
			"kind: kill, target: nodehost-3, at: [5s], for: 10s, lose_quorum: true",
			"kind: kill, target: nodehost-3, at: [5s], for: 10s, lose_quorum: true",
			"kind: lossy, target: nodehost-4, at: [5s], for: 10s, drop: 1%, lose_quorum: true")))
		at := map[int]time.Duration{}
		for _, e := range r.entries {
			if f, ok := e.Fact.(timeline.InjectionBegan); ok {
				at[f.ID] = e.At
			}
		}
		require.Equal(t, map[int]time.Duration{1: 5 * time.Second, 3: 5 * time.Second, 5: 5 * time.Second,
			2: 15 * time.Second, 4: 15 * time.Second}, at)
		require.Contains(t, r.began(t, 2).Waited, "quorum")
		require.Contains(t, r.began(t, 4).Waited, "host nodehost-3")
	})
}

func TestAFaultOfAJoiningMemberCatchesIt(t *testing.T) {
	onBoard(t, func(t *testing.T, b *board) {
		r := carryOut(t, b, planOf(t, "kind: kill, target: joining, at: [5s], for: 10s"), map[time.Duration]func(){
			20005 * time.Millisecond: func() { b.set(func() { b.joining = "nodehost-4" }) },
			20016 * time.Millisecond: func() { b.set(func() { b.joining = "" }) },
		})
		require.Equal(t, []string{"20.01s kill nodehost-4", "30.01s boot nodehost-4"}, b.journal())
		require.Equal(t, "no new member is catching up", r.began(t, 1).Waited)
	})
}

func TestARunThatIsCutShortIsHealed(t *testing.T) {
	onBoard(t, func(t *testing.T, b *board) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		r := &record{start: b.start}
		in := NewInjector(b, r, b.safe, b)
		require.NoError(t, in.Run(ctx, b.start, time.Minute, planOf(t,
			"kind: kill, target: nodehost-1, at: [5s], for: 20s",
			"kind: partition, target: nodehost-2, at: [6s], for: 20s",
			"kind: kill, target: nodehost-3, at: [20s], for: 20s")))
		require.Equal(t, 2, in.Begun())
		require.NoError(t, in.Heal())
		requireWhole(t, b)
		require.Empty(t, facts[timeline.InjectionSkipped](r), "it was not due yet")
	})
}

func TestAHostThatDoesNotBootIsAFinding(t *testing.T) {
	failed := timeline.BootFailed{Host: "nodehost-1", Error: "the disk is full of holes"}
	for fault, times := range map[string]int{
		"kind: kill":                1,
		"kind: crash-loop, up: 1s":  2, // at its begin, and at its end
		"kind: clock, percent: 200": 2,
	} {
		onBoard(t, func(t *testing.T, b *board) {
			b.broken = true
			r := carryOut(t, b, planOf(t, fault+", target: nodehost-1, at: [1s], for: 5s"), nil)
			require.Equal(t, slices.Repeat([]timeline.BootFailed{failed}, times), facts[timeline.BootFailed](r), fault)
			require.Len(t, facts[timeline.InjectionEnded](r), 1, fault)
		})
	}
}

func TestAHostIsDownAsLongAsOneFaultKeepsItDown(t *testing.T) {
	for fault, want := range map[string][]string{
		"kind: crash-loop, up: 4s": {"1s kill", "1s boot", "3s kill", "8s boot", "9s kill", "9s boot"},
		"kind: clock, percent: 50": {"1s ticks 0.5 as fast, 1 at once", "1s kill", "1s boot", "3s kill", "8s boot", "11s ticks 1 as fast, 1 at once", "11s kill", "11s boot"},
	} {
		onBoard(t, func(t *testing.T, b *board) {
			carryOut(t, b, planOf(t, fault+", target: nodehost-1, at: [1s], for: 10s", "kind: kill, target: nodehost-1, at: [3s], for: 5s"), nil)
			for i, line := range want {
				want[i] = line + " nodehost-1"
			}
			require.Equal(t, want, b.journal(), fault)
		})
	}
}

func TestEveryKindHasAColour(t *testing.T) {
	require.NotEmpty(t, behaviours)
	for name := range behaviours {
		require.Regexp(t, "^#[0-9a-f]{6}$", Colour(name), name)
	}
	require.Empty(t, Colour("meteor"))
}

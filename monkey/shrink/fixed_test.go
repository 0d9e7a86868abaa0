// SPDX-License-Identifier: Apache-2.0

package shrink

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// ran is what a run of a scenario with drawn faults leaves: its clients began at
// 3 s, its faults at 23 s.
func ran(t *testing.T) (*scenarios.Scenario, *timeline.Timeline, []history.Op) {
	t.Helper()
	s, err := scenarios.Parse("drawn.yaml", []byte(`name: drawn
duration: 2m
faults:
  - {kind: kill, target: nodehost, every: 10s, for: 5s..9s, at_least: 2, lose_quorum: true}
  - {kind: lossy, target: cluster-leader, count: 3, for: 20s, drop: 25%, before: 1m}
  - {kind: kill, target: joining, at: [50s], for: 1s}
  - {kind: kill, target: drummer, count: 1, forever: true}
actions:
  - {do: drain, host: nodehost-2, at: 30s}
`))
	require.NoError(t, err)
	at := func(seconds int, f timeline.Fact) timeline.Entry {
		return timeline.Entry{At: time.Duration(seconds) * time.Second, Fact: f}
	}
	began := func(id, entry int, fault, target, host string) timeline.InjectionBegan {
		return timeline.InjectionBegan{ID: id, Entry: entry, Fault: fault, Target: target, Hosts: []string{host}, Forever: entry == 3}
	}
	happened := timeline.Pair([]timeline.Entry{
		at(0, timeline.PhaseBegan{Phase: timeline.Launch}), at(3, timeline.PhaseBegan{Phase: timeline.WarmUp}),
		at(23, timeline.PhaseBegan{Phase: timeline.Faults}),
		at(28, began(1, 0, "kill", "nodehost", "nodehost-4")), at(35, timeline.InjectionEnded{ID: 1}),
		at(40, timeline.InjectionSkipped{ID: 2, Fault: "kill", Target: "nodehost"}),
		at(50, began(3, 1, "lossy", "cluster-leader", "nodehost-1")),
		at(60, began(4, 2, "kill", "joining", "nodehost-5")), at(61, timeline.InjectionEnded{ID: 4}),
		at(62, began(5, 3, "kill", "drummer", "drummer-2")),
		at(65, timeline.PhaseBegan{Phase: timeline.Probe}), at(70, timeline.Booted{}),
	})
	op := func(at time.Duration, key, host string, kind history.Kind) history.Op {
		return history.Op{Call: int64(at), Return: int64(at) + 5, Key: key, Kind: kind, Host: host, Outcome: history.OK}
	}
	return s, happened, []history.Op{
		op(9*time.Second, "2/k1", "", history.Get), op(4*time.Second, "1/k0", "nodehost-3:2", history.Put), op(66*time.Second, "1/k0", "", history.Get),
	}
}

func every(*history.Op) bool { return true }

func TestWhatWasDrawnIsGiven(t *testing.T) {
	s, happened, ops := ran(t)
	fixed, err := Fixed(s, happened, ops, every)
	require.NoError(t, err)
	text, err := fixed.Brief()
	require.NoError(t, err)
	require.Equal(t, `name: drawn
duration: 2m20s
warmup: 0s
workload:
  operations:
    - {at: 1s, op: put, key: 1/k0, host: nodehost-3}
    - {at: 6s, op: get, key: 2/k1}
faults:
  - {kind: kill, target: nodehost-4, at: [25s], for: 7s, lose_quorum: true}
  - {kind: lossy, target: nodehost-1, at: [47s], for: 20s, drop: 25%}
  - {kind: kill, target: joining, at: [57s], for: 1s}
  - {kind: kill, target: drummer-2, at: [59s], forever: true}
actions:
  - {do: drain, at: 50s, host: nodehost-2}
`, string(text), "a fault that did not end lasts as long as it was to; reads at the end are no operations of clients")
	require.Len(t, s.Faults, 4)
	require.Equal(t, "10s", s.Faults[0].Every.String(), "the scenario itself is left as it was")
}

func TestOperationsMayStayDrawn(t *testing.T) {
	s, happened, ops := ran(t)
	fixed, err := Fixed(s, happened, ops, func(*history.Op) bool { return false })
	require.NoError(t, err)
	require.Empty(t, fixed.Workload.Operations)
	require.Len(t, fixed.Faults, 4)
}

func TestARunThatCanNotBeGivenIsRefused(t *testing.T) {
	s, happened, ops := ran(t)
	_, err := Fixed(s, timeline.Pair(nil), ops, every)
	require.ErrorContains(t, err, "before its clients began")
	s.Faults = s.Faults[:1]
	_, err = Fixed(s, happened, ops, every)
	require.ErrorContains(t, err, "injection 3")
	s, happened, ops = ran(t)
	ops[0].Key = "no key"
	_, err = Fixed(s, happened, ops, every)
	require.ErrorContains(t, err, "no key")
}

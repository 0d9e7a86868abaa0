// SPDX-License-Identifier: Apache-2.0

package scenarios_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/scenarios"
)

func swarm(t testing.TB, seed uint64, settings ...scenarios.Setting) *scenarios.Scenario {
	t.Helper()
	s, err := scenarios.Load("swarm", settings...)
	require.NoError(t, err)
	drawn, err := s.Drawn(seed)
	require.NoError(t, err)
	return drawn
}

// What a run keeps as its scenario.yaml is the same scenario, for whoever loads it.
func TestEveryDrawOfASwarmIsAValidScenarioByItself(t *testing.T) {
	seeds := uint64(10_000)
	if testing.Short() {
		seeds = 500
	}
	base, err := scenarios.Load("swarm")
	require.NoError(t, err)
	for seed := range seeds {
		drawn, err := base.Drawn(seed)
		require.NoError(t, err, "seed %d", seed)
		require.False(t, drawn.Swarm)
		if seed%10 != 0 {
			continue // it was validated
		}
		text, err := drawn.Marshal()
		require.NoError(t, err)
		read, err := scenarios.Parse("scenario.yaml", text)
		require.NoError(t, err, "seed %d draws what is no scenario:\n%s", seed, text)
		if seed%1000 == 0 {
			again, err := read.Marshal()
			require.NoError(t, err)
			require.Equal(t, string(text), string(again), "seed %d", seed)
		}
	}
}

func TestASeedDrawsOneScenarioAndAnotherSeedAnotherOne(t *testing.T) {
	text := func(seed uint64) string {
		b, err := swarm(t, seed).Marshal()
		require.NoError(t, err)
		return string(b)
	}
	require.Equal(t, text(1), text(1))
	require.NotEqual(t, text(1), text(2))
}

// Whatever there is to draw is drawn: each alternative of each field, and each
// kind of fault.
func TestSwarmDrawsWhateverThereIs(t *testing.T) {
	drawn := map[string]int{}
	for seed := range uint64(1000) {
		s := swarm(t, seed)
		for _, draw := range scenarios.Swarmed(s) {
			drawn[draw]++
		}
	}
	for _, draw := range scenarios.Swarmable() {
		require.GreaterOrEqual(t, drawn[draw], 5, "of 1,000 seeds these draw %s", draw)
	}
}

// A field that is added says how it is drawn, or why it is not.
func TestWhateverAScenarioSaysIsDrawnOrSaysWhyNot(t *testing.T) {
	for _, of := range []any{scenarios.Deployment{}, scenarios.Drummer{}, scenarios.Clusters{}, scenarios.Workload{}} {
		requireSwarmTags(t, reflect.TypeOf(of))
	}
}

func requireSwarmTags(t *testing.T, of reflect.Type) {
	t.Helper()
	for i := range of.NumField() {
		f := of.Field(i)
		if f.Tag.Get("key") == "" || f.Tag.Get("swarm") != "" {
			continue
		}
		require.True(t, f.Type.Kind() == reflect.Struct && f.Type != reflect.TypeFor[scenarios.Latency](),
			"%s.%s has no swarm tag: say how a swarm draws it, or 'never: WHY'", of, f.Name)
		requireSwarmTags(t, f.Type)
	}
}

func TestWhatASwarmGivesIsNotDrawn(t *testing.T) {
	source := "name: own\nswarm: true\nclusters: {statemachine: ondisk, size: 7}\ndeployment: {network: {latency: 3ms}}\nfaults: [{kind: kill, target: nodehost, every: 1m, for: 10s}]\n"
	base, err := scenarios.Parse("own.yaml", []byte(source), scenarios.Setting{Path: "workload.rate", Value: "7"})
	require.NoError(t, err)
	others := map[string]bool{}
	for seed := range uint64(100) {
		s, err := base.Drawn(seed)
		require.NoError(t, err)
		require.Equal(t, "ondisk", s.Clusters.StateMachine)
		require.Equal(t, 7, s.Clusters.Size)
		require.GreaterOrEqual(t, s.Deployment.NodeHosts, 7)
		require.Equal(t, "3ms", s.Deployment.Network.Latency.String())
		require.InDelta(t, 7, s.Workload.Rate, 0)
		require.Len(t, s.Faults, 1)
		others[fmt.Sprint(s.Clusters.Count, s.Deployment.RTT)] = true
	}
	require.Greater(t, len(others), 10)
}

func TestASwarmThatFitsNoDrawSaysWhy(t *testing.T) {
	const tooQuick = "name: own\nswarm: true\nclusters:\n  election_rtt: 3\ndeployment: {rtt: 1ms}\n"
	_, err := scenarios.Parse("own.yaml", []byte(tooQuick))
	require.ErrorContains(t, err, "own.yaml:5: deployment.network.latency: found a p99 of")

	base, err := scenarios.Parse("own.yaml", []byte("name: own\nswarm: true\nclusters: {heartbeat_rtt: 1}\ndeployment:\n  nodehosts: 2\n  regions: [a, b]\nworkload: {sessions: registered}\n"))
	require.NoError(t, err)
	for seed := range uint64(100) {
		if _, err = base.Drawn(seed); err != nil {
			require.ErrorContains(t, err, fmt.Sprintf("seed %d draws what does not fit this swarm", seed))
			require.ErrorContains(t, err, "own.yaml:7: workload.sessions: found registered")
			return
		}
	}
	t.Fatal("no seed draws on-disk state machines")
}

// A seed's faults leave a deployment that can recover.
func TestSwarmAsksForNothingThatCantBeJudged(t *testing.T) {
	for seed := range uint64(1000) {
		s := swarm(t, seed)
		require.NotEmpty(t, s.Faults, "seed %d", seed)
		forever := 0
		for _, f := range s.Faults {
			kind, _ := scenarios.FaultKindOf(f.Kind)
			if f.Forever {
				forever++
				require.True(t, f.Target.OfDrummers() || s.Clusters.Size >= 3, "seed %d", seed)
			}
			if f.LoseQuorum {
				require.False(t, f.Forever || kind.LosesDisk, "seed %d: %s may take a quorum away for good", seed, f.Kind)
			}
		}
		require.LessOrEqual(t, forever, 1, "seed %d", seed)
		require.Contains(t, strings.Fields("8 9 10 11 12 13 14 15 16"), fmt.Sprint(s.Clusters.Count))
	}
}

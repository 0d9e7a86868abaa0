// SPDX-License-Identifier: Apache-2.0

package mutant

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/statemachine"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

func TestScenarioFilesMayPlantEachMutant(t *testing.T) {
	plant := func(kind string) (*scenarios.Scenario, error) {
		return scenarios.Parse("bug.yaml", []byte("name: bug\nclusters: {bug: {kind: "+kind+"}}\n"))
	}
	require.Len(t, scenarios.BugKinds(), len(kinds))
	for _, bug := range scenarios.BugKinds() {
		s, err := plant(bug.Name)
		require.NoError(t, err)
		require.Equal(t, bug.Name, s.Clusters.Bug.Kind)
		require.Zero(t, s.Clusters.Bug.Every, "the rate is the kind's own")
	}
	_, err := plant("stale-reed")
	require.ErrorContains(t, err, `did you mean "stale-read"`)
}

// drawnKinds are the mutants whose strikes are drawn: all that need no race.
func drawnKinds() []scenarios.BugKind {
	return slices.DeleteFunc(scenarios.BugKinds(), func(bug scenarios.BugKind) bool { return bug.Racy })
}

// random returns a command of client n, drawn so that some cas match.
func random(drawn *rand.Rand, n int) kv.Command {
	value := func() kv.Maybe { return kv.Some(fmt.Sprint(drawn.IntN(3))) }
	return kv.Command{
		Op:       kv.Op(1 + drawn.IntN(4)),
		Key:      fmt.Sprint("k", drawn.IntN(3)),
		Value:    value(),
		Expected: value(),
		Writer:   fmt.Sprint("w", n),
	}
}

// differences drives a core and a correct store through the same commands, and
// reports what a client and a comparison of digests can see. When the first of
// that shows, the first strike must be counted, and not before.
func differences(t *testing.T, bug scenarios.BugKind, bad statemachine.Core, strikes *Strikes) (answers, digests bool) {
	good, drawn := kv.New(), rand.New(rand.NewPCG(1, 2))
	for i := range 2000 {
		c := random(drawn, i)
		want, got := good.Apply(uint64(i+1), c.Encode()), bad.Apply(uint64(i+1), c.Encode())
		answers = answers || want != got
		query := kv.GetQuery(c.Key)
		answers = answers || !bytes.Equal(good.Lookup(query), bad.Lookup(query))
		if i%100 == 99 { // it is restarted
			from := bad.Image()
			if bug.Upgrade { // with a snapshot of version 1
				from = good.Image()
			}
			answers = restart(t, bad, from, good) || answers
		}
		require.Equal(t, good.Digest().Applied, bad.Digest().Applied, "a mutant loses no index")
		digests = digests || good.Digest() != bad.Digest()
		require.Equal(t, answers || digests, strikes.Count() > 0, "after %d commands: answers differ: %v, digests differ: %v", i+1, answers, digests)
	}
	return answers, digests
}

// restart puts a core through a snapshot, and then makes it catch up with the
// correct one. It reports whether the snapshot answers differently.
func restart(t *testing.T, bad statemachine.Core, from *kv.Image, good *kv.Store) bool {
	var snapshot bytes.Buffer
	_, err := from.WriteTo(&snapshot)
	require.NoError(t, err)
	image, err := kv.ReadImage(&snapshot)
	require.NoError(t, err)
	bad.Restore(image)
	for key := range 3 {
		query := kv.GetQuery(fmt.Sprint("k", key))
		if !bytes.Equal(good.Lookup(query), bad.Lookup(query)) {
			return true
		}
	}
	return false
}

func TestEachMutantMisbehavesAsItsTableSays(t *testing.T) {
	for _, bug := range drawnKinds() {
		t.Run(bug.Name, func(t *testing.T) {
			strikes := &Strikes{}
			newCore, err := New(Config{Kind: bug.Name, Every: 5, Seed: 7, Version: kv.V2, Strikes: strikes})
			require.NoError(t, err)
			answers, digests := differences(t, bug, newCore(1, 1), strikes)
			require.Equal(t, slices.Contains(bug.FoundBy, Linearizability), answers, "clients see it")
			require.Equal(t, slices.Contains(bug.FoundBy, Digests), digests, "digests show it")
			require.Greater(t, strikes.Occasions(), strikes.Count())
		})
	}
}

// TestAMutantThatNeverStrikesIsCorrect: what tells 'never fired' from 'missed'
// are the counts.
func TestAMutantThatNeverStrikesIsCorrect(t *testing.T) {
	for _, bug := range drawnKinds() {
		t.Run(bug.Name, func(t *testing.T) {
			strikes := &Strikes{}
			newCore, err := New(Config{Kind: bug.Name, Every: math.MaxInt, Seed: 7, Version: kv.V2, Strikes: strikes})
			require.NoError(t, err)
			answers, digests := differences(t, bug, newCore(1, 1), strikes)
			require.False(t, answers || digests)
			require.Zero(t, strikes.Count())
			require.NotZero(t, strikes.Occasions())
		})
	}
}

func TestMutantsStrikeAsOftenAsTheyShould(t *testing.T) {
	counts := &Strikes{}
	at := trigger{seed: 3, every: 1000, counts: counts}
	for n := range uint64(1_000_000) {
		at.strikes(n)
	}
	require.EqualValues(t, 1_000_000, counts.Occasions())
	require.InDelta(t, 1000, counts.Count(), 100)
}

// TestTheKindsRateIsTheDefault: without a rate a mutant strikes as its table
// says.
func TestTheKindsRateIsTheDefault(t *testing.T) {
	for _, bug := range drawnKinds() {
		require.Positive(t, bug.Every, bug.Name)
		rates := map[int]uint64{}
		for _, every := range []int{0, bug.Every, 7 * bug.Every} {
			strikes := &Strikes{}
			newCore, err := New(Config{Kind: bug.Name, Every: every, Seed: 7, Version: kv.V2, Strikes: strikes})
			require.NoError(t, err)
			core, before, drawn := newCore(1, 1), kv.New(), rand.New(rand.NewPCG(1, 2))
			for i := range 10_000 {
				c := random(drawn, i)
				core.Apply(uint64(i+1), c.Encode())
				core.Lookup(kv.GetQuery(c.Key))
				core.Image()
				if bug.Upgrade {
					before.Apply(uint64(i+1), c.Encode())
					core.Restore(before.Image())
				}
			}
			rates[every] = strikes.Count()
		}
		require.Equal(t, rates[bug.Every], rates[0], bug.Name)
		require.NotEqual(t, rates[7*bug.Every], rates[0], bug.Name)
	}
}

// TestMutantsAreDeterministic: a bad node that applies its log again, after a
// restart, goes wrong at the same places.
func TestMutantsAreDeterministic(t *testing.T) {
	for _, bug := range scenarios.BugKinds() {
		newCore, err := New(Config{Kind: bug.Name, Every: 3, Seed: 11, Version: kv.V2})
		require.NoError(t, err)
		first, second := newCore(4, 1), newCore(4, 1)
		drawn := rand.New(rand.NewPCG(1, 2))
		for i := range 500 {
			command := random(drawn, i).Encode()
			require.Equal(t, first.Apply(uint64(i+1), command), second.Apply(uint64(i+1), command), bug.Name)
		}
		require.Equal(t, first.Digest(), second.Digest(), bug.Name)
	}
}

func TestOneFirstMemberOfEachClusterIsBad(t *testing.T) {
	c := Config{Kind: "drop-update", Every: 1000, Seed: 5, Size: 3}
	newCore, err := New(c)
	require.NoError(t, err)
	places := map[uint64]int{}
	for cluster := uint64(1); cluster <= 100; cluster++ {
		bad := 0
		for node := uint64(1); node <= 3; node++ {
			_, correct := newCore(cluster, node).(*kv.Store)
			require.Equal(t, c.IsBad(cluster, node), !correct)
			if !correct {
				bad++
				places[node]++
			}
		}
		require.Equal(t, 1, bad, "cluster %d", cluster)
	}
	require.Len(t, places, 3, "the bad nodes are spread over the first members")
	require.True(t, Config{}.IsBad(1, 17), "without a size all are bad")
}

// Before a host is upgraded, and with snapshots of its own version, it has no bug of
// an upgrade.
func TestABugOfAnUpgradeIsOneOfVersion2(t *testing.T) {
	for _, bug := range scenarios.BugKinds() {
		strikes := &Strikes{}
		newCore, err := New(Config{Kind: bug.Name, Every: 1, Seed: 7, Strikes: strikes})
		require.NoError(t, err)
		if bug.Upgrade {
			answers, digests := differences(t, bug, newCore(1, 1), strikes)
			require.False(t, answers || digests, bug.Name)
		}
		_, correct := newCore(1, 1).(*kv.Store)
		require.Equal(t, bug.Upgrade, correct, bug.Name)
	}
	strikes := &Strikes{}
	newCore, err := New(Config{Kind: "upgrade-misread", Every: 1, Seed: 7, Version: kv.V2, Strikes: strikes})
	require.NoError(t, err)
	core := newCore(1, 1)
	core.Apply(1, kv.Command{Op: kv.Put, Key: "k", Value: kv.Some("v")}.Encode())
	core.Restore(core.Image())
	require.Zero(t, strikes.Occasions(), "it is a snapshot of version 2")
}

func TestUnknownMutantIsAnError(t *testing.T) {
	_, err := New(Config{Kind: "none", Every: 1})
	require.ErrorContains(t, err, `no mutant named "none"`)
	_, err = New(Config{Kind: "drop-update", Every: -1})
	require.ErrorContains(t, err, "every -1")
}

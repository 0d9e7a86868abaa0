// SPDX-License-Identifier: Apache-2.0

package mutant

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/smtest"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// finding is a test that is to fail: it keeps why.
type finding struct {
	*testing.T
	why string
}

func (f *finding) Fatalf(format string, args ...any) {
	f.why = fmt.Sprintf(format, args...)
	panic(f)
}

// find returns what smtest finds in state machines with a mutant; empty: nothing.
func find(t *testing.T, c Config) (why string) {
	newCore, err := New(c)
	require.NoError(t, err)
	f := &finding{T: t}
	defer func() {
		if v := recover(); v != nil && v != f {
			panic(v)
		}
		why = f.why
	}()
	smtest.Run(f, smtest.Concurrent(statemachine.Concurrent(newCore)), smtest.Config{
		Command: func(r *rand.Rand) []byte { return random(r, r.IntN(1000)).Encode() },
		Query:   func(r *rand.Rand) any { return kv.GetQuery(fmt.Sprint("k", r.IntN(3))) },
		Runs:    100,
		Seed:    1,
	})
	return ""
}

// TestTheContractTellsOneBadReplicaOfThree: a bug that all replicas have alike
// makes them agree, and only a client can find it.
func TestTheContractTellsOneBadReplicaOfThree(t *testing.T) {
	for _, bug := range scenarios.BugKinds() {
		if bug.Racy || bug.Upgrade {
			continue // it is for the race detector; it takes two builds
		}
		c := Config{Kind: bug.Name, Every: 3, Seed: 7, Size: 3}
		require.NotEmpty(t, find(t, c), "%s", bug.Name)
		c.Every = 1 << 40
		require.Empty(t, find(t, c), "%s that doesn't strike", bug.Name)
	}
}

// TestTheContractTellsWhatDependsOnARestart: these two show when all replicas
// are bad, as they depend on how a replica came to its state.
func TestTheContractTellsWhatDependsOnARestart(t *testing.T) {
	require.Contains(t, find(t, Config{Kind: "forget-snapshot", Every: 1, Seed: 7}), "(snapshots)")
	require.Contains(t, find(t, Config{Kind: "stale-read", Every: 3, Seed: 7}), "(read-only)")
}

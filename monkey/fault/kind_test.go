// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// What a swarm may draw is a valid entry, and follows from its seed.
func TestWhatASwarmDrawsIsValid(t *testing.T) {
	for _, kind := range scenarios.FaultKinds() {
		require.NotEmpty(t, kind.Class, kind.Name)
		if kind.Draw == nil {
			continue
		}
		for seed := range uint64(200) {
			s, err := scenarios.Parse("test.yaml", []byte("name: swarm\n"))
			require.NoError(t, err)
			f := kind.Draw(rand.New(rand.NewPCG(seed, 0)))
			require.Equal(t, f, kind.Draw(rand.New(rand.NewPCG(seed, 0))), "the seed fixes it")
			f.Every = scenarios.Duration(time.Minute)
			s.Faults = []scenarios.Fault{f}
			text, err := s.Marshal()
			require.NoError(t, err)
			_, err = scenarios.Parse("drawn.yaml", text)
			require.NoError(t, err, "seed %d draws of %s:\n%s", seed, kind.Name, text)
		}
	}
}

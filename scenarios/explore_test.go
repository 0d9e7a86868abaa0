// SPDX-License-Identifier: Apache-2.0

package scenarios

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestExploringNeedsAnExactRun(t *testing.T) {
	s, err := Parse("s.yaml", []byte("name: test\nduration: 1m\nexplore: {order: shuffle}\n"))
	require.NoError(t, err)
	require.NoError(t, s.CheckExact(true))
	require.ErrorContains(t, s.CheckExact(false), "s.yaml:3: explore: ")
	s, err = Parse("s.yaml", []byte("name: test\n"))
	require.NoError(t, err)
	require.NoError(t, s.CheckExact(false))
}

func TestExplorationIsWrittenOut(t *testing.T) {
	s, err := Parse("s.yaml", []byte("name: test\n"), Setting{Path: "explore.preemptions", Value: "20"})
	require.NoError(t, err)
	text, err := s.Marshal()
	require.NoError(t, err)
	again, err := Parse("again.yaml", text)
	require.NoError(t, err)
	require.Equal(t, &Explore{Order: FIFO, Preemptions: 20, Horizon: 1000000}, again.Explore)
}

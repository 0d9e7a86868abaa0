// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/harness"
	"github.com/drumbeat-raft/drumbeat/monkey/rundir"
)

func TestMain(m *testing.M) {
	harness.MainIfChild()
	os.Exit(m.Run())
}

// The most of a profile that packages which are in no area may take together: a few
// times what they do. A part of the system that has moved, or is new, goes beyond that.
// Of Go's own there may be more, which no package asked for.
const (
	mostOfPackages = 0.04
	mostOfGo       = 0.15
)

// Every part of the system that takes time is in the table of areas.
func TestAreasCoverASimulation(t *testing.T) {
	r, err := harness.Run(context.Background(), harness.Options{
		File: "../../scenarios/quickstart.yaml", Seed: 1, World: harness.WorldSim, Clock: harness.ClockVirtual,
		Out: t.TempDir(), Duration: 4 * time.Minute, Profile: true,
	})
	require.NoError(t, err)
	p, err := ReadProfile(filepath.Join(r.Dir, rundir.ProfileFile))
	require.NoError(t, err)
	require.Greater(t, p.total(), int64(500*time.Millisecond), "too few samples to tell")
	others := p.others()
	_, other := p.shares()
	require.Less(t, others[goItself], mostOfGo)
	require.Less(t, other-others[goItself], mostOfPackages, "some of these are in no area of areas.go: %v", others)
}

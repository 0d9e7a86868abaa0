// SPDX-License-Identifier: Apache-2.0

package rundir

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRunsThatStartTogetherGetDirectoriesOfTheirOwn(t *testing.T) {
	out, start := t.TempDir(), time.Now()
	var all sync.Map
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			dir, err := Create(out, Run{Scenario: "demo", Seed: 3, StartedAt: start})
			require.NoError(t, err)
			_, taken := all.LoadOrStore(dir, true)
			require.False(t, taken)
		})
	}
	wg.Wait()
	latest, err := os.Readlink(filepath.Join(out, "latest"))
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(out, latest, RunFile))
}

func TestEventsSurviveATornLastLine(t *testing.T) {
	dir, start := t.TempDir(), time.Now()
	events, err := CreateEvents(dir, start)
	require.NoError(t, err)
	for i := range 3 {
		events.AddAt(start.Add(time.Duration(i)*time.Second), Event{Kind: Phase, Text: "x"})
	}
	require.NoError(t, events.Close())
	path := filepath.Join(dir, EventsFile)
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, b[:len(b)-9], 0o644))
	got, err := ReadEvents(dir)
	require.NoError(t, err)
	require.Len(t, got, 2)
	require.Equal(t, time.Second, got[1].At)
}

func TestAnOutputDirectoryThatIsAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	_, err := Create(file, Run{Scenario: "demo"})
	require.ErrorContains(t, err, file)
}

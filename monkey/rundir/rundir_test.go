// SPDX-License-Identifier: Apache-2.0

package rundir

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRunsThatStartTogetherGetDirectoriesOfTheirOwn(t *testing.T) {
	out, start := t.TempDir(), time.Now()
	var all sync.Map
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			dir, err := Create(out, Run{Scenario: "demo", Seed: 3, StartedAt: start})
			assert.NoError(t, err)
			_, taken := all.LoadOrStore(dir, true)
			assert.False(t, taken)
		})
	}
	wg.Wait()
	latest, err := os.Readlink(filepath.Join(out, "latest"))
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(out, latest, RunFile))
}

func TestAnOutputDirectoryThatIsAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	_, err := Create(file, Run{Scenario: "demo"})
	require.ErrorContains(t, err, file)
}

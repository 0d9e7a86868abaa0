// SPDX-License-Identifier: Apache-2.0

package overlay

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// atHand is the toolchain that runs the tests.
func atHand(t *testing.T) toolchain {
	t.Helper()
	tc, err := findToolchain(t.Context())
	require.NoError(t, err)
	return tc
}

func TestEveryEditFitsTheToolchain(t *testing.T) {
	tc := atHand(t)
	file, err := tc.file(t.TempDir(), edits)
	require.NoError(t, err)
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	var overlay struct{ Replace map[string]string }
	require.NoError(t, json.Unmarshal(b, &overlay))
	for _, e := range edits {
		require.NotEmpty(t, e.Why)
		require.NotEqual(t, e.Old, e.New)
		edited, err := os.ReadFile(overlay.Replace[tc.source(e.File)])
		require.NoError(t, err)
		require.Contains(t, string(edited), e.New)
	}
	require.Contains(t, overlay.Replace, tc.source("runtime/drumbeat_exact.go"))
}

// doctored is the toolchain at hand with one of its files changed.
func doctored(t *testing.T, file string, change func(string) string) toolchain {
	t.Helper()
	tc, fake := atHand(t), toolchain{goroot: t.TempDir(), version: "go1.99"}
	for _, e := range edits {
		b, err := os.ReadFile(tc.source(e.File))
		require.NoError(t, err)
		text := string(b)
		if e.File == file {
			text = change(text)
		}
		require.NoError(t, os.MkdirAll(filepath.Dir(fake.source(e.File)), 0o755))
		require.NoError(t, os.WriteFile(fake.source(e.File), []byte(text), 0o644))
	}
	return fake
}

func TestToolchainThatAnEditDoesNotFit(t *testing.T) {
	for how, change := range map[string]func(string) string{
		"is not in it": func(s string) string {
			return strings.Replace(s, "t.rand = cheaprand()", "t.rand = uint32(rand())", 1)
		},
		"is in it 2 times": func(s string) string { return s + "\n\t\t\tt.rand = cheaprand()\n" },
	} {
		tc, cache := doctored(t, "runtime/time.go", change), t.TempDir()
		_, err := tc.file(cache, edits)
		var misfit *MisfitError
		require.ErrorAs(t, err, &misfit)
		require.Equal(t, tc.source("runtime/time.go"), misfit.File)
		for _, part := range []string{"go1.99", tc.source("runtime/time.go"), "t.rand = cheaprand()", how, misfit.Edit.Why} {
			require.ErrorContains(t, err, part)
		}
		left, err := os.ReadDir(cache)
		require.NoError(t, err)
		require.Empty(t, left)
	}
}

func TestToolchainWithoutItsSource(t *testing.T) {
	_, err := toolchain{goroot: t.TempDir(), version: "go1.26"}.file(t.TempDir(), edits)
	require.ErrorContains(t, err, "read the Go toolchain's own source")
}

func TestOverlayIsMadeOnceByManyAtOnce(t *testing.T) {
	tc, cache := atHand(t), t.TempDir()
	paths := make([]string, 8)
	var all sync.WaitGroup
	for i := range paths {
		all.Go(func() {
			path, err := tc.file(cache, edits)
			if err != nil {
				t.Error(err)
			}
			paths[i] = path
		})
	}
	all.Wait()
	for _, p := range paths {
		require.Equal(t, paths[0], p)
	}
	made, err := os.ReadDir(filepath.Join(cache, "overlay"))
	require.NoError(t, err)
	require.Len(t, made, 1, "one overlay, and nothing that was left half done")
	other, err := tc.file(cache, edits[1:])
	require.NoError(t, err)
	require.NotEqual(t, paths[0], other, "other edits are another overlay")
}

func TestNoToolchain(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := File(t.Context())
	require.ErrorIs(t, err, ErrNoToolchain)
	_, err = Build{Package: "."}.Run(t.Context())
	require.ErrorIs(t, err, ErrNoToolchain)
}

func TestNoSource(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	_, err := Build{Package: "github.com/drumbeat-raft/drumbeat/cmd/monkey", Dir: t.TempDir()}.Run(t.Context())
	require.ErrorContains(t, err, "there is none at hand")
}

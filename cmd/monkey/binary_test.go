// SPDX-License-Identifier: Apache-2.0

//go:build monkey

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/exact/overlay"
)

// patch replaces a text of a file of the module, which must be there exactly
// once.
type patch struct{ file, old, new string }

// buildPatched builds the monkey with the overlay from a patched copy of the
// module, and touches nothing in the repository. An overlay of the go command can
// not be made of two.
func buildPatched(t *testing.T, patches ...patch) string {
	t.Helper()
	dir := t.TempDir()
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	for _, part := range []string{"go.mod", "go.sum", "checker", "cmd", "drummer", "monkey", "scenarios"} {
		from := filepath.Join(root, part)
		info, err := os.Stat(from)
		require.NoError(t, err)
		if info.IsDir() {
			require.NoError(t, os.CopyFS(filepath.Join(dir, part), os.DirFS(from)))
		} else {
			require.NoError(t, os.WriteFile(filepath.Join(dir, part), []byte(read(t, root, part)), 0o644))
		}
	}
	for _, p := range patches {
		path := filepath.Join(dir, filepath.FromSlash(p.file))
		text := read(t, dir, p.file)
		require.Equal(t, 1, strings.Count(text, p.old), "the patch does not fit any more: %s must have this text exactly once:\n%s", p.file, p.old)
		require.NoError(t, os.WriteFile(path, []byte(strings.Replace(text, p.old, p.new, 1)), 0o644))
	}
	binary, err := overlay.Build{Package: itself, Dir: dir, Announce: os.Stderr}.Run(t.Context())
	require.NoError(t, err, "the patched program does not build: mend the patch")
	return binary
}

// runBinary runs a command line, which must end with that exit code.
func runBinary(t *testing.T, binary string, code int, args ...string) (stdout, stderr string) {
	t.Helper()
	var o, e strings.Builder
	c := exec.CommandContext(t.Context(), binary, args...)
	c.Stdout, c.Stderr = &o, &e
	_ = c.Run() // its exit code is looked at
	require.Equal(t, code, c.ProcessState.ExitCode(), "%s\n%s", &o, &e)
	return o.String(), e.String()
}

// SPDX-License-Identifier: Apache-2.0

package overlay

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// program is a module with one program that prints a text.
func program(t *testing.T, dir, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module hello\n\ngo 1.26\n"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "main.go"), []byte("package main\n\nfunc main() { println(\""+text+"\") }\n"), 0o644))
}

// sharedCache is the cache that all tests and the monkey share: the standard library is
// compiled anew for an overlay in another folder, which takes a minute or two. What is
// built in it of the program in dir is removed in the end.
func sharedCache(t *testing.T, dir string) string {
	t.Helper()
	cache, err := cacheFolder()
	require.NoError(t, err)
	file, err := atHand(t).file(cache, edits)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(filepath.Join(cache, "bin", Build{}.key(dir, file)))) })
	return cache
}

func TestBuildIsDoneOnceForEachStateOfTheSource(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the standard library with the overlay")
	}
	dir := t.TempDir()
	tc, cache := atHand(t), sharedCache(t, dir)
	var said bytes.Buffer
	build := func() string {
		binary, err := Build{Package: ".", Dir: dir, Announce: &said}.run(t.Context(), tc, cache, edits)
		require.NoError(t, err)
		return binary
	}
	prints := func(binary string) string {
		out, err := exec.CommandContext(t.Context(), binary).CombinedOutput()
		require.NoError(t, err)
		return string(out)
	}
	program(t, dir, "one")
	one := build()
	require.Equal(t, "one\n", prints(one))
	require.Contains(t, said.String(), "building . with the overlay, once")
	said.Reset()
	require.Equal(t, one, build())
	require.Empty(t, said.String())
	program(t, dir, "two")
	two := build()
	require.Equal(t, "two\n", prints(two))
	require.Equal(t, "one\n", prints(one), "whoever still starts it is not disturbed")

	long := time.Now().Add(-2 * unusedFor)
	require.NoError(t, os.Chtimes(one, long, long))
	require.Equal(t, two, build())
	_, err := os.Stat(one)
	require.ErrorIs(t, err, os.ErrNotExist, "nobody has asked for it in a long time")
}

func TestProgramThatDoesNotBuild(t *testing.T) {
	dir := t.TempDir()
	program(t, dir, "one")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "main.go"), []byte("package main\n\nfunc main() { undefined() }\n"), 0o644))
	if testing.Short() {
		t.Skip("compiles the standard library with the overlay")
	}
	_, err := Build{Package: ".", Dir: dir}.run(t.Context(), atHand(t), sharedCache(t, dir), edits)
	require.ErrorContains(t, err, "with the overlay")
	require.ErrorContains(t, err, "undefined: undefined")
}

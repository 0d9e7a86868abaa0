// SPDX-License-Identifier: Apache-2.0

package history

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func content(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func TestAFileIsWrittenWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "h")
	broken := errors.New("broken")
	half := func(w io.Writer) error { return errors.Join(content("half")(w), broken) }

	require.ErrorIs(t, WriteFile(path, half), broken)
	require.Empty(t, names(t, dir), "nothing is left of a failure")
	require.NoError(t, WriteFile(path, content("whole")))
	require.NoError(t, os.Chmod(path, 0o640))
	require.ErrorIs(t, WriteFile(path, half), broken)
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "whole", string(b), "what was there stays")

	link := filepath.Join(dir, "link")
	require.NoError(t, os.Symlink("h", link))
	require.NoError(t, WriteFile(link, content("new")))
	b, err = os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "new", string(b), "through a link")
	st, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o640), st.Mode().Perm(), "the mode is kept")
	require.Equal(t, []string{"h", "link"}, names(t, dir))
}

func TestAnErrorOfTheFileIsAnOutputError(t *testing.T) {
	var out *OutputError
	require.ErrorAs(t, WriteFile(filepath.Join(t.TempDir(), "no", "h"), content("x")), &out)
	require.ErrorContains(t, out, "no/h can't be written: no such file or directory")
	require.ErrorAs(t, WriteFile(t.TempDir(), content("x")), &out)
	if _, err := os.Stat("/dev/full"); err == nil {
		require.ErrorAs(t, WriteFile("/dev/full", content("x")), &out)
		require.ErrorContains(t, out, "no space left")
	}
}

func TestFilesArePackedByTheirNames(t *testing.T) {
	for _, name := range []string{"h", "h.gz", "h.zst"} {
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, WriteFile(path, func(w io.Writer) error { return WriteJSONL(w, []Op{{Kind: Delete, Outcome: Unknown}}) }))
		ops, err := ReadFile(path, Auto)
		require.NoError(t, err)
		require.Len(t, ops, 1)
	}
}

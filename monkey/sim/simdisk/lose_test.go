// SPDX-License-Identifier: Apache-2.0

package simdisk

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLoseRemovesFilesForGood(t *testing.T) {
	d := New()
	m := d.Mount()
	for name, text := range map[string]string{"/a/log-1": "12345", "/a/id": "x", "/b/log-2": "1"} {
		require.NoError(t, m.MkdirAll(name[:2], 0o755))
		f, err := m.Create(name)
		require.NoError(t, err)
		_, err = f.Write([]byte(text))
		require.NoError(t, err)
		require.NoError(t, f.Sync())
	}
	in := func(name string) bool { return strings.Contains(name, "/log-") }
	require.Zero(t, d.Lose(in), "a process uses it")
	d.Kill()
	require.Equal(t, Effect{FilesLost: 2, BytesLost: 6}, d.Lose(in))
	m = d.Mount()
	names, err := m.List("/a")
	require.NoError(t, err)
	require.Equal(t, []string{"id"}, names)
}

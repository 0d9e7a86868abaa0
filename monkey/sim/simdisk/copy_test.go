// SPDX-License-Identifier: Apache-2.0

package simdisk

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A copy has what was synced, whatever happens to the disk afterwards.
func TestACopyIsRestoredAsItWasSynced(t *testing.T) {
	d := New("/d")
	m := d.Mount()
	write := func(m *Mount, name, text string, sync bool) {
		f, err := m.Create(name)
		require.NoError(t, err)
		_, err = f.Write([]byte(text))
		require.NoError(t, err)
		if sync {
			require.NoError(t, f.Sync())
			dir, err := m.OpenDir("/d")
			require.NoError(t, err)
			require.NoError(t, dir.Sync())
		}
		require.NoError(t, f.Close())
	}
	read := func(m *Mount, name string) string {
		f, err := m.Open(name)
		if err != nil {
			return ""
		}
		text := make([]byte, 100)
		n, _ := f.Read(text)
		return string(text[:n])
	}
	write(m, "/d/a", "first", true)
	write(m, "/d/b", "unsynced", false)
	mounted := d.Copy()
	write(m, "/d/a", "second", true)
	d.Kill()
	ended := d.Copy()

	for range 2 { // as often as one likes
		d.Restore(mounted)
		m = d.Mount()
		require.Equal(t, "first", read(m, "/d/a"))
		require.Empty(t, read(m, "/d/b"), "it was not synced")
		write(m, "/d/a", "third", true)
		d.PowerLoss(nil)
		require.Equal(t, "third", read(d.Mount(), "/d/a"))
	}
	d.Restore(ended)
	require.Equal(t, "second", read(d.Mount(), "/d/a"))

	// A process that still uses the disk goes on with its own data, and changes nothing.
	d.Restore(mounted)
	m = d.Mount()
	d.Restore(ended)
	write(m, "/d/a", "late", true)
	require.Equal(t, "second", read(d.Mount(), "/d/a"))
}

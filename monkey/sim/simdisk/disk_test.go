// SPDX-License-Identifier: Apache-2.0

package simdisk

import (
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/lni/goutils/vfs"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// put writes a file and syncs what is asked for.
func put(t *testing.T, fs vfs.FS, name, text string, syncFile, syncDir bool) {
	t.Helper()
	f, err := fs.Create(name)
	require.NoError(t, err)
	_, err = f.Write([]byte(text))
	require.NoError(t, err)
	if syncFile {
		require.NoError(t, f.Sync())
	}
	require.NoError(t, f.Close())
	if syncDir {
		syncEntries(t, fs, fs.PathDir(name))
	}
}

func syncEntries(t *testing.T, fs vfs.FS, dir string) {
	t.Helper()
	d, err := fs.OpenDir(dir)
	require.NoError(t, err)
	require.NoError(t, d.Sync())
	require.NoError(t, d.Close())
}

func get(t *testing.T, fs vfs.FS, name string) string {
	t.Helper()
	f, err := fs.Open(name)
	if os.IsNotExist(err) {
		return "absent"
	}
	require.NoError(t, err)
	defer f.Close()
	data, err := io.ReadAll(f)
	require.NoError(t, err)
	return string(data)
}

func TestKillKeepsWhatWasNeverSynced(t *testing.T) {
	d := New()
	m := d.Mount()
	put(t, m, "/a", "written", false, false)
	d.Kill()
	m = d.Mount()
	require.Equal(t, "written", get(t, m, "/a"))
	require.Equal(t, Effect{BytesLost: 7, FilesLost: 1, EntriesUndone: 1}, d.PowerLoss(nil),
		"what survived a kill in the page cache is still not on the medium")
	require.Equal(t, "absent", get(t, d.Mount(), "/a"))
}

func TestPowerLossKeepsWhatWasSynced(t *testing.T) {
	d := New()
	m := d.Mount()
	put(t, m, "/both", "safe", true, true)
	put(t, m, "/entry-only", "content", false, true)
	put(t, m, "/content-only", "content", true, false)
	e := d.PowerLoss(nil)
	require.Equal(t, Effect{BytesLost: 14, FilesLost: 1, EntriesUndone: 1}, e)
	m = d.Mount()
	require.Equal(t, "safe", get(t, m, "/both"))
	require.Equal(t, "", get(t, m, "/entry-only"))
	require.Equal(t, "absent", get(t, m, "/content-only"))
}

func TestPowerLossTurnsBackOverwritesAndTails(t *testing.T) {
	d := New()
	m := d.Mount()
	put(t, m, "/log", "0123456789", true, true)
	f, err := m.ReuseForWrite("/log", "/log")
	require.NoError(t, err)
	_, err = f.WriteAt([]byte("xx"), 3)
	require.NoError(t, err)
	_, err = f.WriteAt([]byte("yyy"), 4)
	require.NoError(t, err)
	_, err = f.WriteAt([]byte("tail"), 12)
	require.NoError(t, err)
	require.Equal(t, "012xyyy789\x00\x00tail", get(t, m, "/log"))
	require.Equal(t, Effect{BytesLost: 4 + 6}, d.PowerLoss(nil))
	require.Equal(t, "0123456789", get(t, d.Mount(), "/log"))
}

func TestPowerLossTurnsBackRemovalsAndRenames(t *testing.T) {
	d := New()
	m := d.Mount()
	put(t, m, "/a", "a", true, true)
	put(t, m, "/b", "b", true, true)
	put(t, m, "/c", "c", true, true)
	require.NoError(t, m.Remove("/a"))
	require.NoError(t, m.Rename("/b", "/c"))
	require.Equal(t, "b", get(t, m, "/c"))
	d.PowerLoss(nil)
	m = d.Mount()
	require.Equal(t, "abc", get(t, m, "/a")+get(t, m, "/b")+get(t, m, "/c"))
}

func TestEmptyingAFileLastsOnlyWhenSynced(t *testing.T) {
	d := New()
	m := d.Mount()
	put(t, m, "/a", "old content", true, true)
	put(t, m, "/a", "new", false, false)
	require.Equal(t, "new", get(t, m, "/a"))
	d.PowerLoss(nil)
	m = d.Mount()
	require.Equal(t, "old content", get(t, m, "/a"))
	put(t, m, "/a", "new", true, false)
	d.PowerLoss(nil)
	require.Equal(t, "new", get(t, d.Mount(), "/a"))
}

func TestRenameBetweenDirectoriesIsOneStep(t *testing.T) {
	for _, synced := range []string{"/x", "/y", ""} {
		d := New()
		m := d.Mount()
		require.NoError(t, m.MkdirAll("/x", 0o755))
		require.NoError(t, m.MkdirAll("/y", 0o755))
		put(t, m, "/x/f", "f", true, true)
		syncEntries(t, m, "/")
		require.NoError(t, m.Rename("/x/f", "/y/g"))
		if synced != "" {
			syncEntries(t, m, synced)
		}
		d.PowerLoss(nil)
		m = d.Mount()
		got := get(t, m, "/x/f") + " " + get(t, m, "/y/g")
		if synced == "" {
			require.Equal(t, "f absent", got)
		} else {
			require.Equal(t, "absent f", got, "after sync of %s", synced)
		}
	}
}

func TestDetachedMountSeesItsOwnDataAndTheDiskSeesNoneOfIt(t *testing.T) {
	d := New()
	dead := d.Mount()
	put(t, dead, "/log", strings.Repeat("x", blockSize+5), true, true)
	f, err := dead.OpenForAppend("/log")
	require.NoError(t, err)
	d.Kill()
	m := d.Mount()

	_, err = f.Write([]byte("dead"))
	require.NoError(t, err)
	require.NoError(t, f.Sync())
	require.NoError(t, dead.RemoveAll("/nothing"))
	put(t, dead, "/new", "n", true, true)
	g, err := m.OpenForAppend("/log")
	require.NoError(t, err)
	_, err = g.Write([]byte("LIVE!"))
	require.NoError(t, err)

	require.True(t, strings.HasSuffix(get(t, dead, "/log"), "xxdead"))
	require.True(t, strings.HasSuffix(get(t, m, "/log"), "xxLIVE!"))
	require.Equal(t, "absent", get(t, m, "/new"))
}

func TestLockBelongsToAnIncarnation(t *testing.T) {
	d := New()
	m := d.Mount()
	l, err := m.Lock("/LOCK")
	require.NoError(t, err)
	_, err = m.Lock("LOCK")
	require.Error(t, err)
	d.Kill()
	next := d.Mount()
	l2, err := next.Lock("/LOCK")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	_, err = next.Lock("/LOCK")
	require.Error(t, err, "a detached mount released the lock of its successor")
	require.NoError(t, l2.Close())
	require.NoError(t, l2.Close())
	_, err = next.Lock("/LOCK")
	require.NoError(t, err)
}

func TestWipeCountsWhatItDrops(t *testing.T) {
	d := New("/data/raft")
	m := d.Mount()
	put(t, m, "/data/raft/a", "abc", true, true)
	require.NoError(t, m.Link("/data/raft/a", "/b"))
	put(t, m, "/c", "d", false, false)
	require.Equal(t, Effect{BytesLost: 4, FilesLost: 2}, d.Wipe())
	require.Equal(t, Effect{}, d.PowerLoss(nil))
	m = d.Mount()
	names, err := m.List("/")
	require.NoError(t, err)
	require.Equal(t, []string{"data"}, names)
	names, err = m.List("/data/raft")
	require.NoError(t, err)
	require.Empty(t, names)
}

func TestTornPowerLossKeepsAPartOfTheTail(t *testing.T) {
	synced, tail := strings.Repeat("s", 5000), strings.Repeat("t", 5000)
	kept := map[int]bool{}
	for seed := range uint64(50) {
		d := New()
		m := d.Mount()
		put(t, m, "/log", synced, true, true)
		f, err := m.OpenForAppend("/log")
		require.NoError(t, err)
		_, err = f.Write([]byte(tail))
		require.NoError(t, err)
		e := d.PowerLoss(rand.New(rand.NewPCG(seed, 0)))
		got := get(t, d.Mount(), "/log")
		require.True(t, strings.HasPrefix(synced+tail, got) && len(got) >= len(synced))
		require.EqualValues(t, 10000-len(got), e.BytesLost)
		kept[len(got)] = true
	}
	require.Greater(t, len(kept), 20)
}

// TestTornPowerLossKeepsPagesAndEntriesAtRandom: overwritten pages survive one
// by one, directory entries all or none, and both happen.
func TestTornPowerLossKeepsPagesAndEntriesAtRandom(t *testing.T) {
	const pages = 8
	old, fresh := strings.Repeat("o", pageSize), strings.Repeat("n", pageSize)
	mixed, outcomes := 0, map[string]int{}
	for seed := range uint64(50) {
		d := New()
		m := d.Mount()
		put(t, m, "/pages", strings.Repeat(old, pages), true, true)
		f, err := m.ReuseForWrite("/pages", "/pages")
		require.NoError(t, err)
		_, err = f.WriteAt([]byte(strings.Repeat(fresh, pages)), 0)
		require.NoError(t, err)
		put(t, m, "/a", "", true, false)
		put(t, m, "/b", "", true, false)
		d.PowerLoss(rand.New(rand.NewPCG(seed, 0)))
		m = d.Mount()
		got, survived := get(t, m, "/pages"), 0
		require.Len(t, got, pages*pageSize)
		for page := range pages {
			switch got[page*pageSize : (page+1)*pageSize] {
			case fresh:
				survived++
			case old:
			default:
				t.Fatalf("page %d is neither the old nor the new one", page)
			}
		}
		if survived > 0 && survived < pages {
			mixed++
		}
		outcomes[get(t, m, "/a")+","+get(t, m, "/b")]++
	}
	require.Greater(t, mixed, 40)
	require.Len(t, outcomes, 2, "%v", outcomes)
	require.Greater(t, outcomes[","], 10, "both entries survived")
	require.Greater(t, outcomes["absent,absent"], 10, "none did")
}

// TestTornPowerLossKeepsTheLengthOfWhatIsOverwrittenOften: a file is torn page by page
// also when more was overwritten than it has bytes.
func TestTornPowerLossKeepsTheLengthOfWhatIsOverwrittenOften(t *testing.T) {
	const size = blockSize
	for seed := range uint64(50) {
		d := New()
		m := d.Mount()
		put(t, m, "/a", strings.Repeat("s", size), true, true)
		f, err := m.ReuseForWrite("/a", "/a")
		require.NoError(t, err)
		for range 3 {
			_, err = f.WriteAt([]byte(strings.Repeat("n", size)), 0)
			require.NoError(t, err)
		}
		d.PowerLoss(rand.New(rand.NewPCG(seed, 0)))
		got := get(t, d.Mount(), "/a")
		require.Len(t, got, size)
		require.Equal(t, size, strings.Count(got, "s")+strings.Count(got, "n"))
	}
}

func TestPowerLossAtSyncComesBeforeTheSyncTakesEffect(t *testing.T) {
	d := New()
	m := d.Mount()
	put(t, m, "/log", "one", true, true)
	var fired []Effect
	require.True(t, d.PowerLossAtSync(2, nil, func(e Effect) { fired = append(fired, e) }))
	f, err := m.OpenForAppend("/log")
	require.NoError(t, err)
	for _, s := range []string{"two", "three", "four"} {
		require.NoError(t, f.Sync(), "a sync without anything to do does not count")
		_, err = f.Write([]byte(s))
		require.NoError(t, err)
		require.NoError(t, f.Sync())
	}
	require.Equal(t, []Effect{{BytesLost: 5}}, fired)
	require.Equal(t, "onetwothreefour", get(t, m, "/log"))
	require.Equal(t, "onetwo", get(t, d.Mount(), "/log"))
}

func TestFilesBehaveAsInAnOperatingSystem(t *testing.T) {
	m := New().Mount()
	_, err := m.Open("/none")
	require.True(t, os.IsNotExist(err))
	_, err = m.Create("/no/such/dir")
	require.True(t, os.IsNotExist(err))
	require.NoError(t, m.MkdirAll("/d/e", 0o755))
	require.Error(t, m.Remove("/d"), "not empty")
	require.Error(t, m.Rename("/d", "/d/e/f"), "into itself")
	put(t, m, "/d/f", "abc", false, false)
	require.Error(t, m.MkdirAll("/d/f/g", 0o755))
	require.True(t, os.IsExist(m.Link("/d/f", "/d/e")))
	names, err := m.List("d/")
	require.NoError(t, err)
	require.Equal(t, []string{"e", "f"}, names)

	f, err := m.Open("/d/f")
	require.NoError(t, err)
	require.NoError(t, m.Remove("/d/f"))
	buf := make([]byte, 4)
	n, err := f.ReadAt(buf, 1)
	require.Equal(t, 2, n)
	require.Equal(t, io.EOF, err)
	_, err = f.Write(buf)
	require.Error(t, err, "opened for reading")
	require.NoError(t, f.Close())
	require.Error(t, f.Close())
	require.NoError(t, m.RemoveAll("/d"))
	require.NoError(t, m.RemoveAll("/d"))
	st, err := m.Stat("/")
	require.NoError(t, err)
	require.True(t, st.IsDir())
}

func TestLargeFileAcrossBlocks(t *testing.T) {
	d := New()
	m := d.Mount()
	want := make([]byte, 5*blockSize+17)
	for i := range want {
		want[i] = byte(i * 31)
	}
	put(t, m, "/big", string(want), true, true)
	f, err := m.ReuseForWrite("/big", "/big")
	require.NoError(t, err)
	patch := bytes.Repeat([]byte{0xee}, 2*blockSize)
	_, err = f.WriteAt(patch, blockSize/2)
	require.NoError(t, err)
	require.NoError(t, f.Sync())
	copy(want[blockSize/2:], patch)
	d.PowerLoss(nil)
	require.Equal(t, string(want), get(t, d.Mount(), "/big"))
}

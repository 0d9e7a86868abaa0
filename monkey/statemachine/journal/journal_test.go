// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/lni/goutils/vfs"
	"github.com/stretchr/testify/require"
)

// list is the simplest state: the updates themselves.
type list struct{ updates []string }

func (l *list) recovery() Recovery {
	return Recovery{
		Load: func(in io.Reader) error {
			data, err := io.ReadAll(in)
			l.updates = nil
			for _, update := range bytes.Fields(data) {
				l.updates = append(l.updates, string(update))
			}
			return err
		},
		Replay: func(index uint64, update []byte) { l.updates = append(l.updates, fmt.Sprintf("%d:%s", index, update)) },
		Save:   l.save,
	}
}

func (l *list) save(out io.Writer) error {
	_, err := io.WriteString(out, strings.Join(l.updates, " "))
	return err
}

const dir = "/a/b/c"

func open(t *testing.T, fs vfs.FS) (*Journal, *list) {
	t.Helper()
	l := &list{}
	j, err := Open(fs, dir, l.recovery())
	require.NoError(t, err)
	return j, l
}

func write(t *testing.T, j *Journal, first, last uint64) {
	t.Helper()
	for index := first; index <= last; index++ {
		j.Add(index, fmt.Appendf(nil, "update-%d", index))
	}
	require.NoError(t, j.Write())
}

func names(t *testing.T, fs vfs.FS) []string {
	t.Helper()
	found, err := fs.List(dir)
	require.NoError(t, err)
	slices.Sort(found)
	return found
}

func read(t *testing.T, fs vfs.FS, name string) []byte {
	t.Helper()
	file, err := fs.Open(fs.PathJoin(dir, name))
	require.NoError(t, err)
	defer file.Close()
	data, err := io.ReadAll(file)
	require.NoError(t, err)
	return data
}

func replace(t *testing.T, fs vfs.FS, name string, data []byte) {
	t.Helper()
	_, err := writeFile(fs, fs.PathJoin(dir, name), func(out io.Writer) error {
		_, err := out.Write(data)
		return err
	})
	require.NoError(t, err)
}

func TestJournalBringsBackWhatWasWritten(t *testing.T) {
	fs := vfs.NewMem()
	j, l := open(t, fs)
	require.Empty(t, l.updates)
	write(t, j, 1, 2)
	write(t, j, 5, 5)
	require.NoError(t, j.Close())
	j, l = open(t, fs)
	require.Equal(t, []string{"1:update-1", "2:update-2", "5:update-5"}, l.updates)
	require.NoError(t, j.Close())
	require.Equal(t, []string{"checkpoint-1", "log-1"}, names(t, fs))
}

func TestRestartBeginsAGenerationAndRemovesTheOld(t *testing.T) {
	fs := vfs.NewMem()
	j, _ := open(t, fs)
	write(t, j, 1, 3)
	require.NoError(t, j.Restart(func(out io.Writer) error { _, err := io.WriteString(out, "all"); return err }))
	write(t, j, 4, 4)
	require.NoError(t, j.Close())
	require.Equal(t, []string{"checkpoint-2", "log-2"}, names(t, fs))
	j, l := open(t, fs)
	require.Equal(t, []string{"all", "4:update-4"}, l.updates)
	require.NoError(t, j.Close())
}

func TestOpenRemovesWhatADeathLeft(t *testing.T) {
	fs := vfs.NewMem()
	j, _ := open(t, fs)
	write(t, j, 1, 1)
	require.NoError(t, j.Close())
	for _, name := range []string{"new-checkpoint-2", "log-2", "log-0", "checkpoint-x", "notes"} {
		replace(t, fs, name, []byte("left over"))
	}
	j, l := open(t, fs)
	require.Equal(t, []string{"1:update-1"}, l.updates)
	require.NoError(t, j.Close())
	require.Equal(t, []string{"checkpoint-1", "log-1", "notes"}, names(t, fs))
}

// TestTornLogEndsBeforeTheFirstBadRecord cuts the log off after each byte, and
// flips each bit of it.
func TestTornLogEndsBeforeTheFirstBadRecord(t *testing.T) {
	fs := vfs.NewMem()
	j, _ := open(t, fs)
	write(t, j, 1, 3)
	require.NoError(t, j.Close())
	whole := read(t, fs, "log-1")
	record := len(whole) / 3

	check := func(damaged []byte, good int) {
		fs := vfs.NewMem()
		j, _ := open(t, fs)
		require.NoError(t, j.Close())
		replace(t, fs, "log-1", damaged)
		j, l := open(t, fs)
		require.Len(t, l.updates, good, "%q", damaged)
		write(t, j, 10, 10)
		require.NoError(t, j.Close())
		_, l = open(t, fs)
		require.Contains(t, l.updates[len(l.updates)-1], "10:update-10", "what was written after %q is found", damaged)
	}
	for cut := range whole {
		check(whole[:cut], cut/record)
	}
	for at := range whole {
		damaged := bytes.Clone(whole)
		damaged[at] ^= 1 << (at % 8)
		check(damaged, at/record)
	}
	check(append(bytes.Clone(whole), whole[:record]...), 3) // an index that goes back
}

func TestMissingOrDamagedFilesAreErrors(t *testing.T) {
	fs := vfs.NewMem()
	j, l := open(t, fs)
	require.NoError(t, j.Close())
	bad := errors.New("not a checkpoint")
	recovery := l.recovery()
	recovery.Load = func(io.Reader) error { return bad }
	_, err := Open(fs, dir, recovery)
	require.ErrorIs(t, err, bad)
	require.ErrorContains(t, err, "checkpoint-1")

	require.NoError(t, fs.Remove(dir+"/log-1"))
	_, err = Open(fs, dir, l.recovery())
	require.ErrorContains(t, err, "cannot open log /a/b/c/log-1")
}

func TestIsLongWhenMostOfItIsOld(t *testing.T) {
	j, _ := open(t, vfs.NewMem())
	write(t, j, 1, 10)
	require.False(t, j.IsLong())
	j.Add(11, make([]byte, minRestartBytes))
	require.NoError(t, j.Write())
	require.True(t, j.IsLong())
	require.NoError(t, j.Restart(func(out io.Writer) error { _, err := out.Write(make([]byte, minRestartBytes)); return err }))
	j.Add(12, make([]byte, minRestartBytes+1))
	require.NoError(t, j.Write())
	require.False(t, j.IsLong(), "the checkpoint is as long as the log")
}

func TestRemove(t *testing.T) {
	fs := vfs.NewMem()
	require.NoError(t, Remove(fs, dir), "there is nothing to remove")
	j, _ := open(t, fs)
	require.NoError(t, j.Close())
	require.NoError(t, Remove(fs, dir))
	_, err := fs.Stat(dir)
	require.Error(t, err)
}

// A Remove that was cut short before it was durable is made so by the next one.
func TestRemoveAfterOneThatWasCutShort(t *testing.T) {
	fs := vfs.NewStrictMem()
	j, _ := open(t, fs)
	require.NoError(t, j.Close())
	require.NoError(t, syncDir(fs, fs.PathDir(dir)))
	require.NoError(t, fs.RemoveAll(dir))
	require.NoError(t, Remove(fs, dir))
	fs.ResetToSyncedState()
	_, err := fs.Stat(dir)
	require.Error(t, err)
}

func FuzzLog(f *testing.F) {
	f.Add(appendRecord(appendRecord(nil, 1, []byte("a")), 7, nil))
	f.Add(appendRecord(nil, 3, []byte("abc"))[:12])
	f.Fuzz(func(t *testing.T, data []byte) {
		r := recordReader{in: bufio.NewReader(bytes.NewReader(data))}
		var again []byte
		for {
			index, update, ok := r.next()
			if !ok {
				break
			}
			again = appendRecord(again, index, update)
		}
		if r.err != nil || !bytes.HasPrefix(data, again) || r.good != int64(len(again)) || r.atEnd != (len(again) == len(data)) {
			t.Fatalf("read %q from %q; good %d, at end %v, error %v", again, data, r.good, r.atEnd, r.err)
		}
	})
}

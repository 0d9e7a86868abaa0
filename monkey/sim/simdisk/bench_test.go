// SPDX-License-Identifier: Apache-2.0

package simdisk

import (
	"runtime"
	"testing"
	"time"

	"github.com/lni/goutils/vfs"
	"github.com/stretchr/testify/require"
)

// A load like that of a write-ahead log: small appends, each with a Sync, and
// a new file when the old one is full.
const (
	walRecord = 200
	walFile   = 2 << 20
)

func appendAndSync(tb testing.TB, fs vfs.FS, records int) {
	record := make([]byte, walRecord)
	var f vfs.File
	for i := range records {
		if i%(walFile/walRecord) == 0 {
			var err error
			if f, err = fs.Create("/wal"); err != nil {
				tb.Fatal(err)
			}
		}
		if _, err := f.Write(record); err != nil {
			tb.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			tb.Fatal(err)
		}
	}
}

func BenchmarkAppendAndSync(b *testing.B) {
	for name, fs := range map[string]vfs.FS{"simdisk": New().Mount(), "strictmem": vfs.NewStrictMem()} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(walRecord)
			b.ReportAllocs()
			appendAndSync(b, fs, b.N)
		})
	}
}

// BenchmarkKill ends an incarnation that has a gigabyte in a thousand files.
func BenchmarkKill(b *testing.B) {
	d := New()
	m := d.Mount()
	for i := range 1000 {
		f, err := m.Create("/" + string(rune('a'+i%26)) + time.Duration(i).String())
		if err != nil {
			b.Fatal(err)
		}
		if _, err := f.Write(make([]byte, 1<<20)); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		d.Mount()
	}
}

// TestSyncCopiesNothingOfWhatWasAppended: what a synced append allocates does
// not grow with the file, as it does where each Sync copies the file.
func TestSyncCopiesNothingOfWhatWasAppended(t *testing.T) {
	perRecord := func(fs vfs.FS, records int) float64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		appendAndSync(t, fs, records)
		runtime.ReadMemStats(&after)
		return float64(after.TotalAlloc-before.TotalAlloc) / float64(records)
	}
	const few, many = 500, walFile / walRecord // one file in both cases
	require.Less(t, perRecord(New().Mount(), many), 2*perRecord(New().Mount(), few))
	require.Greater(t, perRecord(vfs.NewStrictMem(), many), 5*perRecord(vfs.NewStrictMem(), few), "the measure tells them apart")
}

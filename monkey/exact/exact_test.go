// SPDX-License-Identifier: Apache-2.0

package exact

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestProgramWithoutTheOverlay(t *testing.T) {
	if Built() == nil {
		t.Skip("these tests were built with the overlay")
	}
	require.ErrorIs(t, Built(), ErrNotBuilt)
	require.ErrorIs(t, Arm(Settings{Seed: 1}), ErrNotBuilt)
	require.False(t, InBubble())
	_, ok := Process()
	require.False(t, ok)
	Note([]byte("nobody hears this"))
	NoteString("")
	require.Equal(t, State{}, Sofar())
}

func TestHashTellsApart(t *testing.T) {
	seen := map[uint64]int{}
	data := make([]byte, 40)
	for n := range len(data) + 1 { // a prefix of zeros is not another one
		h := hash(data[:n])
		require.NotContains(t, seen, h)
		seen[h] = n
	}
	for i := range data {
		data[i] = 1
		h := hash(data)
		require.NotContains(t, seen, h)
		seen[h] = i
		data[i] = 0
	}
	require.Equal(t, hash(make([]byte, 7)), hash(make([]byte, 7)))
}

func TestHashIsTheSameInEveryProcess(t *testing.T) {
	require.Equal(t, uint64(0x6954386b978809f7), hash([]byte("hello, bubble")))
}

// newRecord makes the file of a record with this trace.
func newRecord(t *testing.T, trace []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "record")
	require.NoError(t, CreateRecord(path, 1<<20))
	r, err := OpenRecord(path)
	require.NoError(t, err)
	r.state.hash, r.state.decisions, r.state.now = 7, 3, uint64(time.Second)
	r.state.traceLen = uint64(copy(r.trace, trace))
	return path
}

func TestRecordIsReadAfterItsProcess(t *testing.T) {
	path := newRecord(t, []byte{1, 2, 3})
	s, err := ReadState(path)
	require.NoError(t, err)
	require.Equal(t, State{Fingerprint: 7, Decisions: 3, Now: time.Second}, s)
	require.NoError(t, Trim(path))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, int64(headerSize+3), info.Size())
	again, err := ReadState(path)
	require.NoError(t, err)
	require.Equal(t, s, again)
}

func TestFileThatIsNoRecord(t *testing.T) {
	path := filepath.Join(t.TempDir(), "other")
	for _, text := range []string{"", "short", string(make([]byte, 2*headerSize))} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
		_, err := ReadState(path)
		require.ErrorContains(t, err, "is not the record of an exact run")
		_, err = OpenRecord(path)
		require.ErrorContains(t, err, "is not the record of an exact run")
		require.Error(t, Trim(path))
		_, err = OpenTrace(path)
		require.Error(t, err)
	}
}

// trace builds the bytes of a trace.
type trace []byte

func (tr trace) add(kind, number uint64) trace {
	return binary.AppendUvarint(tr, number*traceKinds+kind)
}

func (tr trace) create(id, from uint64, names ...string) trace {
	tr = binary.AppendUvarint(tr.add(traceCreated, id), from)
	for _, n := range names {
		tr = append(binary.AppendUvarint(tr, uint64(len(n))), n...)
	}
	return tr
}

// beginning is what the executions of these tests have in common.
func beginning() trace {
	return trace(nil).create(1, 0, "root", "").add(traceRun, 1).create(2, 1, "worker", "main.main").add(traceInstant, 5).add(traceRun, 2)
}

func compare(t *testing.T, a, b trace) (*Difference, error) {
	t.Helper()
	var open [2]*Trace
	for i, tr := range []trace{a, b} {
		var err error
		open[i], err = OpenTrace(newRecord(t, tr))
		require.NoError(t, err)
		defer open[i].Close()
	}
	return Compare(open[0], open[1])
}

func TestCompareFindsTheFirstDifference(t *testing.T) {
	root, worker := Goroutine{ID: 1, Entry: "root"}, Goroutine{ID: 2, Entry: "worker", Starter: "main.main"}
	for name, tc := range map[string]struct {
		a, b trace
		want *Difference
	}{
		"none":    {beginning().add(traceNote, 9), beginning().add(traceNote, 9), nil},
		"empty":   {nil, nil, nil},
		"who ran": {beginning().add(traceRun, 1), beginning().add(traceRun, 2), &Difference{A: "ran goroutine 1 (root)", B: "ran goroutine 2 (worker, started by main.main)"}},
		"clock":   {beginning().add(traceInstant, 6), beginning().add(traceRun, 2), &Difference{A: "moved the clock to 6ns", B: "ran goroutine 2 (worker, started by main.main)"}},
		"data": {beginning().add(traceNote, 0xab), beginning().add(traceNote, 0xcd), &Difference{
			A: "noted other data (000000ab), in goroutine 2 (worker, started by main.main)",
			B: "noted other data (000000cd), in goroutine 2 (worker, started by main.main)",
		}},
		"locks": {beginning().add(traceEvents, 4), beginning().add(traceEvents, 5), &Difference{
			A: "met 4 locks, channels and reads of the clock, in goroutine 2 (worker, started by main.main)",
			B: "met 5 locks, channels and reads of the clock, in goroutine 2 (worker, started by main.main)",
		}},
		"started": {beginning().create(3, 2, "f", "g"), beginning().create(3, 1, "f", "g"), &Difference{
			A: "goroutine 2 (worker, started by main.main) started goroutine 3 (f, started by g)",
			B: "goroutine 1 (root) started goroutine 3 (f, started by g)",
		}},
		"the end": {beginning(), beginning().add(traceRun, 1), &Difference{EndedA: true, A: "ended", B: "ran goroutine 1 (root)"}},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := compare(t, tc.a, tc.b)
			require.NoError(t, err)
			if tc.want != nil {
				tc.want.Decision, tc.want.Now, tc.want.Before = 2, 5, []Goroutine{root, worker}
			}
			require.Equal(t, tc.want, d)
		})
	}
}

func TestDifferenceInWords(t *testing.T) {
	d := &Difference{Decision: 12, Now: time.Minute, Before: []Goroutine{{ID: 3, Entry: "f"}, {ID: 4, Entry: "g", Starter: "h"}}, A: "ended", B: "ran goroutine 3 (f)"}
	require.Equal(t, `the executions part after decision 12, at 1m0s
  11  both ran goroutine 3 (f)
  12  both ran goroutine 4 (g, started by h)
  then the first ended
  and the second ran goroutine 3 (f)
`, d.String())
}

func TestDamagedTrace(t *testing.T) {
	whole := beginning()
	for n := 1; n < len(whole); n++ {
		_, err := compare(t, whole[:n], whole[:n])
		if err != nil {
			require.ErrorContains(t, err, "is damaged after decision")
		}
	}
	_, err := compare(t, trace(nil).create(1, 0, "root")[:5], whole)
	require.ErrorContains(t, err, "is damaged after decision 0")
	long := binary.AppendUvarint(binary.AppendUvarint(trace(nil).add(traceCreated, 1), 0), 1<<40)
	_, err = compare(t, long, long)
	require.ErrorContains(t, err, "too long")
}

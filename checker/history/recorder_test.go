// SPDX-License-Identifier: Apache-2.0

package history

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func invoke(t *testing.T, r *Recorder, op Op) Handle {
	t.Helper()
	h, err := r.Invoke(op)
	require.NoError(t, err)
	return h
}

func TestRecorderClosedRunIsReadBackWhole(t *testing.T) {
	dir := t.TempDir()
	r, err := NewRecorder(dir)
	require.NoError(t, err)
	put := invoke(t, r, Op{Client: 1, Key: "7/k1", Kind: Put, Value: String("a"), Call: 10, Cluster: 7, Host: "h1"})
	get := invoke(t, r, Op{Client: 2, Key: "7/k1", Kind: Get, Call: 11})
	invoke(t, r, Op{Client: 3, Key: "7/k1", Kind: Delete, Call: 12})
	_, err = r.Return(put, Answer{Outcome: OK, Return: 20})
	require.NoError(t, err)
	done, err := r.Return(get, Answer{Outcome: OK, Observed: Absent, Return: 21, By: &Replica{Host: "h2", Node: 3, Term: 4, Applied: 5}})
	require.NoError(t, err)
	require.Equal(t, Absent, done.Observed)
	require.NoError(t, r.Close())
	require.NoError(t, r.Close())
	require.NoFileExists(t, filepath.Join(dir, PendingName))

	run, err := ReadRun(dir)
	require.NoError(t, err)
	require.False(t, run.Truncated)
	require.Equal(t, []Op{
		{Client: 1, Key: "7/k1", Kind: Put, Value: String("a"), Call: 10, Return: 20, Outcome: OK, Cluster: 7, Host: "h1", ID: 1},
		{Client: 2, Key: "7/k1", Kind: Get, Observed: Absent, Call: 11, Return: 21, Outcome: OK, ID: 2, By: &Replica{Host: "h2", Node: 3, Term: 4, Applied: 5}},
		{Client: 3, Key: "7/k1", Kind: Delete, Call: 12, Outcome: Unknown, ID: 3},
	}, run.Ops)
}

// What the files hold at any moment is what a SIGKILL would leave.
func TestRecorderKilledRunKeepsEveryWrite(t *testing.T) {
	dir := t.TempDir()
	r, err := NewRecorder(dir)
	require.NoError(t, err)
	const n = 3000
	for i := range n {
		h := invoke(t, r, Op{Client: 1, Key: "k", Kind: Put, Value: String(fmt.Sprint("v", i)), Call: int64(2 * i)})
		_, err := r.Return(h, Answer{Outcome: OK, Return: int64(2*i + 1)})
		require.NoError(t, err)
	}
	invoke(t, r, Op{Client: 2, Key: "k", Kind: Cas, Expected: Absent, Value: String("x"), Call: 2 * n})
	run, err := ReadRun(dir)
	require.NoError(t, err)
	require.NoError(t, r.Close())

	require.True(t, run.Truncated)
	require.Len(t, run.Ops, n+1)
	known := 0
	seen := map[string]bool{}
	for _, op := range run.Ops {
		seen[op.Value.Text()] = true
		if op.Outcome == OK {
			known++
		}
	}
	require.Len(t, seen, n+1)
	require.GreaterOrEqual(t, known, n-flushOps)
	require.Equal(t, run.Open, n+1-known)
}

func TestRecorderFileCutAnywhereIsReadUpToTheCut(t *testing.T) {
	dir := t.TempDir()
	r, err := NewRecorder(dir)
	require.NoError(t, err)
	for i := range 2000 {
		h := invoke(t, r, Op{Key: "k", Kind: Get, Call: int64(2 * i)})
		_, err := r.Return(h, Answer{Outcome: OK, Observed: Int(int64(i)), Return: int64(2*i + 1)})
		require.NoError(t, err)
	}
	require.NoError(t, r.Close())
	whole, err := os.ReadFile(filepath.Join(dir, FileName))
	require.NoError(t, err)
	most := 0
	for cut := 0; cut < len(whole); cut += 1 + len(whole)/50 {
		require.NoError(t, os.WriteFile(filepath.Join(dir, FileName), whole[:cut], 0o644))
		run, err := ReadRun(dir)
		require.NoError(t, err, "cut at %d", cut)
		require.True(t, run.Truncated, "cut at %d", cut)
		require.GreaterOrEqual(t, len(run.Ops), most)
		most = len(run.Ops)
		for i, op := range run.Ops {
			require.Equal(t, Int(int64(i)), op.Observed)
		}
	}
	require.GreaterOrEqual(t, most, 1500)
}

func TestRecorderPendingFileStaysBounded(t *testing.T) {
	dir := t.TempDir()
	r, err := NewRecorder(dir)
	require.NoError(t, err)
	big := make([]byte, 10_000)
	for i := range big {
		big[i] = 'x'
	}
	left := invoke(t, r, Op{Key: "k", Kind: Put, Value: String("left open"), Call: 0})
	for i := range 3000 {
		h := invoke(t, r, Op{Key: "k", Kind: Put, Value: String(string(big)), Call: int64(i)})
		_, err := r.Return(h, Answer{Outcome: OK, Return: int64(i)})
		require.NoError(t, err)
	}
	st, err := os.Stat(filepath.Join(dir, PendingName))
	require.NoError(t, err)
	require.Less(t, st.Size(), int64(2*compactBytes))
	run, err := ReadRun(dir)
	require.NoError(t, err)
	require.Len(t, run.Ops, 3001)
	_, err = r.Return(left, Answer{Outcome: OK, Return: 4000})
	require.NoError(t, err)
	require.NoError(t, r.Close())
}

func TestRecorderRefusesWhatCannotBe(t *testing.T) {
	for name, break_ := range map[string]func(*Recorder) error{
		"return twice": func(r *Recorder) error {
			h, _ := r.Invoke(Op{Kind: Delete})
			_, _ = r.Return(h, Answer{Outcome: OK})
			_, err := r.Return(h, Answer{Outcome: OK})
			return err
		},
		"return before call": func(r *Recorder) error {
			h, _ := r.Invoke(Op{Kind: Delete, Call: 5})
			_, err := r.Return(h, Answer{Outcome: OK, Return: 4})
			return err
		},
		"get without a value": func(r *Recorder) error {
			h, _ := r.Invoke(Op{Kind: Get})
			_, err := r.Return(h, Answer{Outcome: OK})
			return err
		},
		"not UTF-8": func(r *Recorder) error {
			_, err := r.Invoke(Op{Kind: Put, Value: String("\xff")})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := NewRecorder(t.TempDir())
			require.NoError(t, err)
			err = break_(r)
			require.Error(t, err)
			_, again := r.Invoke(Op{Kind: Get})
			require.Equal(t, err, again)
			require.Error(t, r.Close())
		})
	}
}

func TestRecorderInABubbleWithManyClients(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		r, err := NewRecorder(dir)
		require.NoError(t, err)
		var wg sync.WaitGroup
		for c := range 20 {
			wg.Go(func() {
				for i := range 200 {
					h, err := r.Invoke(Op{Client: int64(c), Key: "k", Kind: Append, Value: String("x"), Call: int64(time.Since(start))})
					if err != nil {
						t.Error(err)
						return
					}
					time.Sleep(time.Duration(c+i) * time.Millisecond)
					if _, err = r.Return(h, Answer{Outcome: OK, Return: int64(time.Since(start))}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		require.NoError(t, r.Close())
	})
	run, err := ReadRun(dir)
	require.NoError(t, err)
	require.Len(t, run.Ops, 4000)
}

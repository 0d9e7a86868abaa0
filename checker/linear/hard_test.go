// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/selftest/reference"
)

// hardKeys returns the histories of a folder whose keys leave the linear-time
// fragment.
func hardKeys(t testing.TB, folder string, want int) map[string][]history.Op {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*.zst"))
	require.NoError(t, err)
	if len(paths) == 0 && folder != committed && folder != choices {
		t.Skipf("the folder of hard histories is not there: %s", folder)
	}
	require.Len(t, paths, want)
	keys := make(map[string][]history.Op)
	for _, path := range paths {
		keys[filepath.Base(path)], err = history.ReadFile(path, history.Auto)
		require.NoError(t, err)
	}
	return keys
}

const (
	committed    = "testdata/hard"
	choices      = "testdata/choices"
	hardMemory   = 256 << 20
	hardLimit    = time.Minute // far more than what is asked for: machines are busy, and the race detector is slow
	hardInShared = 12
)

func TestHardKeysAreDecided(t *testing.T) {
	for folder, want := range map[string]int{committed: 4, choices: 1, filepath.Join(shared, "hard"): hardInShared} {
		t.Run(folder, func(t *testing.T) {
			for name, ops := range hardKeys(t, folder, want) {
				res, err := Check(t.Context(), ops, Options{Timeout: hardLimit, Memory: hardMemory, Certify: true})
				require.NoError(t, err)
				require.Equal(t, OK, res.Verdict, "%s: %s", name, res.Explanation)
				require.Equal(t, Zones, res.Engine, name)
				require.Len(t, res.Orders, 1, name)
				require.Less(t, res.Duration, hardLimit, name)
			}
		})
	}
}

// latest returns the last operation that fits, with the write that it names.
func latest(ops []history.Op, fits func(op, saw *history.Op) bool) (op, saw *history.Op) {
	by := make(map[string]*history.Op)
	for i := range ops {
		if ops[i].Writer != "" {
			by[ops[i].Writer] = &ops[i]
		}
	}
	for i := len(ops) - 1; i >= 0; i-- {
		if w := by[ops[i].ObservedWriter]; w != nil && ops[i].Outcome == history.OK && fits(&ops[i], w) {
			return &ops[i], w
		}
	}
	return nil, nil
}

func isPut(op *history.Op) bool { return op.Kind == history.Put && op.Outcome == history.OK }

// A violation in a hard key is found, and its core is small: it does not hold
// the whole chain of writes that name each other.
func TestCoresOfHardKeysAreSmall(t *testing.T) {
	plants := map[string]func(ops []history.Op){
		"stale read": func(ops []history.Op) {
			read, _ := latest(ops, func(op, saw *history.Op) bool { return op.Kind == history.Get && isPut(saw) })
			_, old := latest(ops, func(op, saw *history.Op) bool { return isPut(op) && isPut(saw) && op.Return < read.Call })
			read.Observed, read.ObservedWriter = old.Value, old.Writer
		},
		"lost update": func(ops []history.Op) {
			op, saw := latest(ops, func(op, saw *history.Op) bool {
				return op.Kind == history.Append && isPut(saw) && saw.ObservedWriter != ""
			})
			op.ObservedWriter = saw.ObservedWriter
		},
		"lost append": func(ops []history.Op) {
			op, saw := latest(ops, func(op, saw *history.Op) bool { return op.Kind == history.Get && saw.Kind == history.Append })
			op.Observed = saw.Value
		},
		"cas of another value": func(ops []history.Op) {
			op, _ := latest(ops, func(op, _ *history.Op) bool { return op.Kind == history.Cas })
			op.Expected = history.String("another")
		},
		"text of an unknown append changed": func(ops []history.Op) {
			op, saw := latest(ops, func(op, saw *history.Op) bool {
				return op.Kind == history.Get && saw.Kind == history.Append && saw.Outcome == history.Unknown
			})
			if op == nil { // nobody read it: let an append that nobody asked for be seen
				op, saw = latest(ops, func(op, saw *history.Op) bool { return op.Kind == history.Get && saw.Kind == history.Append })
			}
			op.Observed = history.String("another" + saw.Value.Text())
		},
	}
	const small = 16
	for plant, damage := range plants {
		for name, ops := range hardKeys(t, committed, 4) {
			damage(ops)
			res, err := Check(t.Context(), ops, Options{Timeout: hardLimit, Memory: hardMemory})
			require.NoError(t, err)
			require.Equal(t, Violation, res.Verdict, "%s in %s: %s", plant, name, res.Explanation)
			require.LessOrEqual(t, len(res.Core), small, "%s in %s: %s", plant, name, res.Explanation)
			require.False(t, reference.Linearizable(res.Core), "%s in %s: %+v", plant, name, res.Core)
		}
	}
}

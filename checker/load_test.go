// SPDX-License-Identifier: Apache-2.0

package checker

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear"
	"github.com/drumbeat-raft/drumbeat/checker/linear/model"
	"github.com/drumbeat-raft/drumbeat/checker/selftest/generate"
)

func store(t *testing.T, name string, ops []history.Op) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, history.WriteFile(path, func(w io.Writer) error { return history.WriteJSONL(w, ops) }))
	return path
}

func big(n int) []history.Op {
	ops := generate.History(generate.Spec{Seed: 3, Ops: n, Keys: 50, Clients: 16, Put: 0.3, Cas: 0.2, Unknown: 0.01, Strings: true})
	for i := range ops {
		ops[i].Host = "somewhere"
	}
	return ops
}

// However a history is held, it gets the same judgement.
func TestAHistoryIsJudgedTheSameInEveryForm(t *testing.T) {
	// The first is big as a file, the second packed, too, by its operations.
	legal, many := big(80_000), big(keepOps+1000)
	illegal := append(legal[:len(legal):len(legal)], generate.Planted(generate.StaleRead, "planted", 1<<40, false)...)
	for _, c := range []struct {
		name    string
		ops     []history.Op
		whole   bool
		compact bool
	}{
		{"plain.jsonl", legal, false, true},
		{"packed.jsonl.zst", many, false, true},
		{"packed.jsonl.gz", legal, false, false},
		{"bad.jsonl", illegal, false, true},
		{"whole.jsonl", illegal, true, false},
		{"short.jsonl", illegal[len(illegal)-100:], false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			want, err := linear.Check(t.Context(), c.ops, linear.Options{})
			require.NoError(t, err)
			h, err := Load(t.Context(), store(t, c.name, c.ops), Options{Whole: c.whole})
			require.NoError(t, err)
			require.Equal(t, c.compact, h.log != nil, "held in compact form")
			require.Equal(t, len(c.ops), h.Len())
			got, err := h.Check(t.Context(), linear.Options{})
			require.NoError(t, err)
			require.Equal(t, want.Verdict, got.Verdict)
			require.Equal(t, want.PerKey, got.PerKey)
			require.Equal(t, want.Core, got.Core)
			require.Equal(t, want.Explanation, got.Explanation)
			ops, err := h.Ops(t.Context())
			require.NoError(t, err)
			require.True(t, reflect.DeepEqual(c.ops, ops), "the operations that were written")
		})
	}
}

// A file that is gone when the explanation is looked for loses the explanation,
// not the verdict.
func TestAVerdictOutlivesItsFile(t *testing.T) {
	ops := append(big(80_000), generate.Planted(generate.StaleRead, "planted", 1<<40, false)...)
	path := store(t, "big.jsonl", ops)
	h, err := Load(t.Context(), path, Options{})
	require.NoError(t, err)
	require.NotNil(t, h.log, "held in compact form")
	require.NoError(t, os.Remove(path))
	r, err := h.Check(t.Context(), linear.Options{})
	require.NoError(t, err)
	require.Equal(t, linear.Violation, r.Verdict)
	require.Contains(t, strings.Join(r.Notes, "\n"), "the verdict stands, its explanation lacks something")
}

// Mistakes in every part of a big file are told with their lines, and what the
// model does not know is one.
func TestMistakesOfABigFileAreToldWithTheirLines(t *testing.T) {
	ops := big(40_000)
	var b strings.Builder
	require.NoError(t, history.WriteJSONL(&b, ops))
	lines := strings.SplitAfter(strings.TrimSuffix(b.String(), "\n"), "\n")
	wrong := []int{1, 777, 20_000, 39_999}
	for _, n := range wrong {
		lines[n-1] = `{"op":"append","value":"x","call":1,"outcome":"unknown"}` + "\n"
	}
	lines[12_344] = "{\n"
	path := filepath.Join(t.TempDir(), "bad.jsonl")
	require.NoError(t, os.WriteFile(path, []byte(strings.Join(lines, "")), 0o600))
	_, err := Load(t.Context(), path, Options{Model: model.Register})
	var all *history.InputErrors
	require.ErrorAs(t, err, &all)
	var at []int
	for _, e := range all.First {
		at = append(at, e.Line)
		require.Equal(t, path, e.File)
	}
	require.Equal(t, []int{1, 777, 12_345, 20_000, 39_999}, at)
	require.ErrorContains(t, err, fmt.Sprintf("%s:777: a register knows no append", path))
}

func TestLoadingEndsWithItsContext(t *testing.T) {
	path := store(t, "h.jsonl", big(1000))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Load(ctx, path, Options{})
	require.ErrorIs(t, err, context.Canceled)
}

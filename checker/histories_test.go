// SPDX-License-Identifier: Apache-2.0

package checker

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear"
)

// recorded is the folder of histories that the monkey recorded; make histories
// makes it again.
const recorded = "../testdata/histories"

// recordedVerdicts returns the verdicts by file. Porcupine, or what stands for
// the verdict, confirmed each when it was recorded.
func recordedVerdicts(t *testing.T) map[string]linear.Verdict {
	t.Helper()
	f, err := os.Open(filepath.Join(recorded, "verdicts.csv"))
	require.NoError(t, err)
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	require.Equal(t, []string{"file", "verdict", "confirmed"}, rows[0][:3])
	want := make(map[string]linear.Verdict)
	count := make(map[linear.Verdict]int)
	for _, row := range rows[1:] {
		want[row[0]] = linear.Verdict(row[1])
		count[linear.Verdict(row[1])]++
		require.Contains(t, []string{"porcupine", "order", "core"}, row[2], row[0])
	}
	const few = 50
	require.Greater(t, count[linear.OK], few)
	require.Greater(t, count[linear.Violation], few)
	require.Len(t, want, count[linear.OK]+count[linear.Violation], "other verdicts, or a file twice")
	files, err := filepath.Glob(filepath.Join(recorded, "*.zst"))
	require.NoError(t, err)
	require.Len(t, files, len(want), "files without a verdict, or verdicts without a file")
	return want
}

func TestRecordedHistoriesAreJudgedRight(t *testing.T) {
	for file, want := range recordedVerdicts(t) {
		h, err := Load(t.Context(), filepath.Join(recorded, file), Options{})
		require.NoError(t, err)
		r, err := h.Check(t.Context(), linear.Options{Certify: true})
		require.NoError(t, err)
		require.Equal(t, want, r.Verdict, "%s: %s", file, r.Explanation)
		require.Equal(t, want == linear.OK, r.Certified, file)
		require.Equal(t, want == linear.Violation, len(r.Core) > 0, file)
	}
}

// Without the names of writes less is known: the search has to find out what
// names decide, and may give up, but what is legal stays legal.
func TestRecordedHistoriesWithoutNamesAreNeverWronglyRefused(t *testing.T) {
	decided := 0
	for file, want := range recordedVerdicts(t) {
		if want != linear.OK {
			continue
		}
		ops, err := history.ReadFile(filepath.Join(recorded, file), history.Auto)
		require.NoError(t, err)
		for i := range ops {
			ops[i].Writer, ops[i].ObservedWriter = "", ""
		}
		r, err := linear.Check(t.Context(), ops, linear.Options{Engine: linear.Search, Memory: 4 << 20, Timeout: -1})
		require.NoError(t, err)
		require.NotEqual(t, linear.Violation, r.Verdict, "%s: %s", file, r.Explanation)
		if r.Verdict == linear.OK {
			decided++
		}
	}
	require.Greater(t, decided, 50)
}

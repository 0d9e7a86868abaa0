// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// shared is the folder of real histories, beside the module's root.
const shared = "../../../shared/histories"

// sharedVerdicts returns the real histories with their known verdicts.
func sharedVerdicts(t testing.TB) map[string]Verdict {
	t.Helper()
	f, err := os.Open(filepath.Join(shared, "etcd-jepsen/expected.csv"))
	if err != nil {
		t.Skipf("the folder of real histories is not there: %v", err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	want := make(map[string]Verdict)
	for _, row := range rows[1:] {
		verdict, known := map[string]Verdict{"true": OK, "false": Violation}[row[1]]
		require.True(t, known, "%v", row)
		want[filepath.Join(shared, "etcd-jepsen", row[0])] = verdict
	}
	kvs, _ := filepath.Glob(filepath.Join(shared, "kv/*.txt"))
	for _, path := range kvs {
		want[path] = OK
		if strings.HasSuffix(path, "-bad.txt") {
			want[path] = Violation
		}
	}
	nightly, _ := filepath.Glob(filepath.Join(shared, "dragonboat-nightly/*.edn"))
	for _, path := range nightly {
		want[path] = OK
	}
	require.Len(t, want, 52+4+60)
	return want
}

func TestRealHistoriesAreJudgedAsTheirFolderSays(t *testing.T) {
	for path, want := range sharedVerdicts(t) {
		ops, err := history.ReadFile(path, history.Auto)
		require.NoError(t, err)
		res, err := Check(t.Context(), ops, Options{Timeout: 20 * time.Second})
		require.NoError(t, err)
		require.Equal(t, want, res.Verdict, path)
	}
}

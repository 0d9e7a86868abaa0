// SPDX-License-Identifier: Apache-2.0

package history

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// shared is the folder of real histories, beside the module's root.
const shared = "../../../shared/histories"

func sharedFiles(t *testing.T) []string {
	t.Helper()
	if _, err := os.Stat(shared); err != nil {
		t.Skipf("the folder of real histories is not there: %v", err)
	}
	var files []string
	for _, pattern := range []string{"etcd-jepsen/*.log", "kv/*.txt", "dragonboat-nightly/*.edn"} {
		found, err := filepath.Glob(filepath.Join(shared, pattern))
		require.NoError(t, err)
		require.NotEmpty(t, found, pattern)
		files = append(files, found...)
	}
	return files
}

func TestRealHistoriesSurviveConversion(t *testing.T) {
	for _, path := range sharedFiles(t) {
		ops, err := ReadFile(path, Auto)
		require.NoError(t, err)
		require.NotEmpty(t, ops, path)
		for _, format := range []Format{JSONL, EDN} {
			var first, second bytes.Buffer
			require.NoError(t, Write(&first, ops, format))
			src, err := newSource(path, bytes.NewReader(first.Bytes()), Auto)
			require.NoError(t, err)
			again, err := ReadAll(src)
			require.NoError(t, err, "%s as %s", path, format)
			require.Len(t, again, len(ops))
			require.NoError(t, Write(&second, again, format))
			require.Equal(t, first.String(), second.String(), "%s as %s", path, format)
		}
	}
}

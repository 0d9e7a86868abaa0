// SPDX-License-Identifier: Apache-2.0

package mutant

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/internal/source"
)

func root(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(root, "go.mod"))
	return root
}

// TestTheTable wants all edits to fit, and each mutant to say what it is.
func TestTheTable(t *testing.T) {
	all := All()
	require.GreaterOrEqual(t, len(all), 60)
	seen := map[string]bool{}
	for _, m := range all {
		require.Regexp(t, regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`), m.Name)
		require.False(t, seen[m.Name], "two mutants are named %s", m.Name)
		seen[m.Name] = true
		require.NotEmpty(t, m.Breaks, m.Name)
		require.NotEmpty(t, m.Bites, m.Name)
		require.Equal(t, 1, strings.Count(m.edit.New, condition), "%s: an edit has one switch", m.Name)
	}
	ofDragonboat, own := edits()
	dir, err := source.ModuleDir(t.Context(), root(t), dragonboat, version)
	require.NoError(t, err)
	for from, edits := range map[string][]source.Edit{dir: ofDragonboat, root(t): own} {
		texts, err := source.Edited(from, edits)
		require.NoError(t, err, "write the edit anew, so that it breaks the same promise")
		for file, text := range texts {
			_, err := parser.ParseFile(token.NewFileSet(), file, text, parser.SkipObjectResolution)
			require.NoError(t, err)
		}
	}
}

// TestTheRelease wants the edits to be of the release that is in use.
func TestTheRelease(t *testing.T) {
	out, err := source.Go(t.Context(), root(t), "list", "-m", "-f", "{{.Version}}", dragonboat)
	require.NoError(t, err)
	require.Equal(t, version, strings.TrimSpace(string(out)))
}

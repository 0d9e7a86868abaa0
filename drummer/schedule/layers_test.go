// SPDX-License-Identifier: Apache-2.0

package schedule_test

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A rule that looked at a limit, or a limit at what is wrong with a cluster, would
// make of the layers one room again.
func TestLayersOfADecisionImportWhatIsBelow(t *testing.T) {
	const prefix = "github.com/drumbeat-raft/drumbeat/drummer/schedule/internal/"
	for layer, below := range map[string][]string{
		"policy": {}, "fleet": {"policy"}, "rule": {"fleet"}, "placement": {"fleet"}, "budget": {"fleet", "policy"},
	} {
		files, err := filepath.Glob(filepath.Join("internal", layer, "*.go"))
		require.NoError(t, err)
		require.NotEmpty(t, files, layer)
		for _, name := range files {
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
			require.NoError(t, err)
			for _, spec := range file.Imports {
				if other, ok := strings.CutPrefix(strings.Trim(spec.Path.Value, `"`), prefix); ok {
					require.Contains(t, below, other, "%s imports it", name)
				}
			}
		}
	}
}

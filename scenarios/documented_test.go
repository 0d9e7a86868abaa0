// SPDX-License-Identifier: Apache-2.0

package scenarios

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEveryScenarioIsInTheDocumentation(t *testing.T) {
	page, err := os.ReadFile("../docs/scenarios.md")
	require.NoError(t, err)
	for _, name := range Names() {
		require.Contains(t, string(page), "`"+name+"`")
	}
}

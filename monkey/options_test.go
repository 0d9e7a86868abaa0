// SPDX-License-Identifier: Apache-2.0

package monkey

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAProgramIsStartedAgainAsItWas(t *testing.T) {
	t.Chdir(t.TempDir())
	require.Equal(t, "monkey", program("monkey"))
	require.Equal(t, "'/my tools/monkey'", program("/my tools/monkey"))
	require.Equal(t, "go run github.com/drumbeat-raft/drumbeat/cmd/monkey", program("/tmp/go-build12/b001/exe/monkey"))
	require.Equal(t, "go run github.com/drumbeat-raft/drumbeat/cmd/monkey", program("/tmp/go-build12/b001/monkey.test"))
	require.NoError(t, os.MkdirAll("cmd/monkey", 0o755))
	require.NoError(t, os.WriteFile("cmd/monkey/main.go", nil, 0o644))
	require.Equal(t, "go run ./cmd/monkey", program("/tmp/go-build12/b001/exe/monkey"))
}

// SPDX-License-Identifier: Apache-2.0

package monkey

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAProgramIsStartedAgainAsItWas(t *testing.T) {
	t.Chdir(t.TempDir())
	const hash = "e459154a04d2eb2b53303aafc07cd33f470f31054ae8eb35379ff619eabcb5e9"
	for _, own := range []string{"monkey", "bin/monkey", "/opt/my-go-builds/monkey", "/srv/e4/" + hash + "/monkey"} {
		require.Equal(t, own, program(own))
	}
	require.Equal(t, "'/my tools/monkey'", program("/my tools/monkey"))
	for _, built := range []string{
		"/tmp/go-build12/b001/exe/monkey", "/tmp/go-build12/b001/monkey.test",
		"/home/me/.cache/go-build/e4/" + hash + "-d/monkey", // with -trimpath
		"/srv/cache/e4/" + hash + "-d/monkey",               // and GOCACHE
	} {
		require.Equal(t, "go run github.com/drumbeat-raft/drumbeat/cmd/monkey", program(built))
	}
	require.NoError(t, os.MkdirAll("cmd/monkey", 0o755))
	require.NoError(t, os.WriteFile("cmd/monkey/main.go", nil, 0o644))
	require.Equal(t, "go run ./cmd/monkey", program("/tmp/go-build12/b001/exe/monkey"))
}

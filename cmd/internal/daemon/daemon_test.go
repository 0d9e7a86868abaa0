// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/cmd/internal/program"
)

func TestADaemonsCommandLine(t *testing.T) {
	var ranWith string
	var plaintext bool
	d := Daemon{Name: "thing", Run: func(_ context.Context, path string, allowed bool) error {
		ranWith, plaintext = path, allowed
		return errors.New("it broke")
	}}
	run := func(args ...string) error {
		cmd := d.command()
		cmd.SetArgs(args)
		return cmd.Execute()
	}
	for _, args := range [][]string{{}, {"--config", "f", "more"}, {"--confg", "f"}} {
		require.Equal(t, program.ExitUsage, program.ExitCode(run(args...)), "%v", args)
	}
	require.Empty(t, ranWith)
	require.Equal(t, program.ExitInternal, program.ExitCode(run("--config", "f", "--plaintext")))
	require.Equal(t, "f", ranWith)
	require.True(t, plaintext)
}

func TestWhatACommonFileMayGetWrong(t *testing.T) {
	c := &Common{LogLevel: "loud"}
	_, _, err := c.Begin(t.Context(), nil)
	require.Equal(t, program.ExitUsage, program.ExitCode(err))
	require.NoError(t, c.CheckListens(false, "127.0.0.1:1", "localhost:2", "[::1]:3"))
	require.ErrorContains(t, c.CheckListens(true, "127.0.0.1:1", "10.0.0.1:2"), "10.0.0.1:2 is not a loopback address")
	c.Plaintext = true
	require.Error(t, c.CheckListens(false, "10.0.0.1:2"))
	require.NoError(t, c.CheckListens(true, "10.0.0.1:2"))
	c = &Common{}
	c.TLS.CA, c.TLS.Cert, c.TLS.Key = "no", "such", "file"
	require.NoError(t, c.CheckListens(false, "10.0.0.1:2"))
	_, _, err = c.Begin(t.Context(), nil)
	require.Equal(t, program.ExitUsage, program.ExitCode(err))
}

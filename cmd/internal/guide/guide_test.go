// SPDX-License-Identifier: Apache-2.0

package guide

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// script returns the ```sh blocks of a page, in order.
func script(t *testing.T, page string) string {
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	blocks := regexp.MustCompile("(?s)\n```sh\n(.*?)\n```\n").FindAllStringSubmatch(string(text), -1)
	require.NotEmpty(t, blocks)
	lines := []string{"set -euo pipefail"}
	for _, block := range blocks {
		lines = append(lines, block[1])
	}
	return strings.Join(lines, "\n") + "\n"
}

// TestOperatingDrummer runs docs/operating-drummer.md from top to bottom: three
// servers, four NodeHosts and all connections with mutual TLS; a NodeHost, the
// Drummer leader and another NodeHost die by SIGKILL.
func TestOperatingDrummer(t *testing.T) {
	if testing.Short() {
		t.Skip("real processes on the real clock, for half a minute")
	}
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("the guide is written for bash, which is not on the PATH")
	}
	root, err := filepath.Abs("../../..")
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, bash, "-x")
	cmd.Dir = root
	cmd.Stdin = strings.NewReader(script(t, filepath.Join(root, "docs/operating-drummer.md")))
	cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	// The shell and all it starts are one process group, so that nothing
	// survives a failed step.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	err = cmd.Run()
	if cmd.Process != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
	if err != nil {
		t.Fatalf("a step of the guide fails: %v\n%s", err, out.String())
	}
	require.Contains(t, out.String(), "hello from 3")
	require.NotContains(t, out.String(), "let in without a certificate\n")
	t.Log(out.String())
}

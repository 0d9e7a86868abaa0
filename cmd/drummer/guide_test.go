// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
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

// guidePorts is how every address in the guide begins: its ports are 27101 to
// 27104, 27201 to 27204 and so on to 27404.
const guidePorts = "127.0.0.1:27"

// elsewhere puts the guide's ports where nobody listens, so that two checkouts
// can be tested at once: all else of the text stays as it is. The listener it
// returns keeps others from choosing the same.
func elsewhere(t *testing.T, text string) (string, net.Listener) {
	require.Greater(t, strings.Count(text, guidePorts), 20)
	const first, last = 10, 31 // thousands below the ports that systems give away
	for i := range last - first + 1 {
		prefix := fmt.Sprintf("127.0.0.1:%d", first+(os.Getpid()+i)%(last-first+1))
		lock, err := net.Listen("tcp", prefix+"000")
		if err != nil {
			continue
		}
		if allFree(prefix) {
			t.Logf("the guide's ports are those at %s… here", prefix)
			return strings.ReplaceAll(text, guidePorts, prefix), lock
		}
		_ = lock.Close()
	}
	t.Fatal("no block of ports is free")
	return "", nil
}

func allFree(prefix string) bool {
	for hundreds := 100; hundreds <= 400; hundreds += 100 {
		for i := range 4 {
			l, err := net.Listen("tcp", fmt.Sprintf("%s%d", prefix, hundreds+i+1))
			if err != nil {
				return false
			}
			_ = l.Close()
		}
	}
	return true
}

// endWithTest ends the shell's process group when the other end of file descriptor 3
// is closed: when the test ends, however it does.
const endWithTest = "{ read -r -u 3 || kill -KILL -$$; } >/dev/null 2>&1 &\nexec 3<&-\n"

// TestOperatingDrummer runs docs/operating-drummer.md from top to bottom: three
// servers, four NodeHosts and all connections with mutual TLS; a NodeHost, the
// Drummer leader and another NodeHost die by SIGKILL. Only the ports are others.
func TestOperatingDrummer(t *testing.T) {
	if testing.Short() {
		t.Skip("real processes on the real clock, for half a minute")
	}
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("the guide is written for bash, which is not on the PATH")
	}
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, bash, "-x")
	cmd.Dir = root
	text, lock := elsewhere(t, script(t, filepath.Join(root, "docs/operating-drummer.md")))
	defer func() { _ = lock.Close() }()
	cmd.Stdin = strings.NewReader(endWithTest + text)
	cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	// The shell and all it starts are one process group, so that nothing survives a
	// failed step, nor a test that is killed.
	ended, alive, err := os.Pipe()
	require.NoError(t, err)
	defer func() { _, _ = alive.Close(), ended.Close() }()
	cmd.ExtraFiles = []*os.File{ended}
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

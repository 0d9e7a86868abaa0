// SPDX-License-Identifier: Apache-2.0

package smtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	checkout = "../.."
	guide    = checkout + "/docs/testing-your-state-machine.md"
	example  = checkout + "/docs/examples/ledger"
)

// TestTheGuide follows docs/testing-your-state-machine.md from top to bottom:
// a module of its own, whose unit tests pass and whose contract test fails, as
// the page says, until the state machine is mended.
func TestTheGuide(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds a module")
	}
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("the guide is written for bash, which is not on the PATH")
	}
	page := read(t, guide)
	cmd := exec.Command(bash)
	cmd.Dir = checkout
	cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
	cmd.Stdin = strings.NewReader("set -euo pipefail\n" + strings.Join(blocks(page, "sh"), "\n"))
	output, err := cmd.CombinedOutput()
	out := string(output)
	require.NoError(t, err, "a step of the guide fails:\n%s", out)
	shown := blocks(page, "")
	require.Len(t, shown, 2)
	require.Contains(t, comparable(out), comparable(shown[0]), "the page shows what is printed")
	require.Contains(t, out, "the contract is broken\n")
	require.Contains(t, out, "the contract is broken again\n", "the line of reproduction works as it is printed")
	line := shown[0][strings.Index(shown[0], "go test -run"):]
	require.Contains(t, blocks(page, "sh")[3], strings.TrimSpace(line), "and it is the one that the page runs")
	require.Contains(t, out, "the monkey found it\n")
	require.Contains(t, out, "What is wrong: linearizability (violation)")
	require.Contains(t, comparable(out), strings.TrimSpace(strings.SplitN(shown[1], "\n", 2)[1]))
	require.Equal(t, 4, strings.Count(out, "ok  \texample.com/ledger"), "unit tests before, all tests twice afterwards, and the monkey's:\n%s", out)
}

// TestTheExampleIsAModule runs the worked example where it is: its unit tests
// miss the bug that its contract test finds.
func TestTheExampleIsAModule(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds a module")
	}
	root, err := filepath.Abs(checkout)
	require.NoError(t, err)
	dir := t.TempDir() // for go.mod and go.sum, which go test may add to
	mod := strings.Replace(read(t, filepath.Join(example, "go.mod")), "=> ../../..", "=> "+root, 1)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte(mod), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.sum"), []byte(read(t, filepath.Join(root, "go.sum"))), 0o644))
	goTest := func(args ...string) (string, error) {
		cmd := exec.Command("go", append([]string{"test", "-modfile=" + filepath.Join(dir, "go.mod"), "-mod=mod"}, args...)...)
		cmd.Dir = example
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	out, err := goTest("-skip", "Contract|Monkey", ".")
	require.NoError(t, err, out)
	out, err = goTest("-run", "Contract", ".")
	require.Error(t, err, out)
	require.Contains(t, out, "breaks Dragonboat's contract (snapshots)")
}

// blocks returns the fenced blocks of a language in a page.
func blocks(page, language string) []string {
	var found []string
	for _, block := range regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```$").FindAllStringSubmatch(page, -1) {
		if block[1] == language {
			found = append(found, block[2])
		}
	}
	return found
}

var (
	elapsed       = regexp.MustCompile(`\(\d+\.\d+s\)`)
	spaceAtTheEnd = regexp.MustCompile(`(?m)[ \t]+$`)
)

// comparable leaves out of the output of go test what differs each time.
func comparable(out string) string {
	return strings.TrimSpace(spaceAtTheEnd.ReplaceAllString(elapsed.ReplaceAllString(out, "(…)"), ""))
}

// TestTheGuideWritesWhatTheExampleHas: the files of the example are those that
// the page makes, or takes.
func TestTheGuideWritesWhatTheExampleHas(t *testing.T) {
	page := read(t, guide)
	for _, file := range []string{"contract_test.go", "monkey_test.go"} {
		require.Contains(t, page, "<<'END'\n"+read(t, filepath.Join(example, file))+"END\n")
	}
	taken := regexp.MustCompile(`docs/examples/ledger/(\w+\.go)`).FindAllStringSubmatch(page, -1)
	require.Len(t, taken, 4)
	for _, file := range taken {
		require.FileExists(t, filepath.Join(example, file[1]))
	}
}

func TestTheGuideListsTheChecks(t *testing.T) {
	kinds := map[kind]string{allKinds: "all kinds", concurrent | onDisk: "concurrent, on-disk", onDisk: "on-disk"}
	var rows strings.Builder
	for _, c := range append([]*check{&examination}, checks...) {
		first, _, _ := strings.Cut(c.contract, ". ")
		fmt.Fprintf(&rows, "| `%s` | %s | %s |\n", c.name, kinds[c.kinds], strings.TrimSuffix(first, ".")+".")
	}
	require.True(t, strings.Contains(read(t, guide), "|---|---|---|\n"+rows.String()+"\n"), "the table of checks in %s should be\n%s", guide, rows.String())
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(text)
}

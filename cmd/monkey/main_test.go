// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/cmd/internal/program"
	"github.com/drumbeat-raft/drumbeat/monkey/harness"
	"github.com/drumbeat-raft/drumbeat/monkey/judge"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

func TestMain(m *testing.M) {
	harness.MainIfChild()
	os.Exit(m.Run())
}

// command line runs the program and returns its exit code and output.
func commandLine(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	out, readOut := capture(t, &os.Stdout)
	errs, readErr := capture(t, &os.Stderr)
	code = run(t.Context(), args)
	out()
	errs()
	return code, readOut(), readErr()
}

// capture sends a standard stream to a file until restore is called.
func capture(t *testing.T, stream **os.File) (restore func(), read func() string) {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "stream")
	require.NoError(t, err)
	was := *stream
	*stream = f
	return func() { *stream = was }, func() string {
		_, err := f.Seek(0, io.SeekStart)
		require.NoError(t, err)
		b, err := io.ReadAll(f)
		require.NoError(t, err)
		require.NoError(t, f.Close())
		return string(b)
	}
}

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "scenario.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	return path
}

const tiny = `name: tiny
duration: 20s
warmup: 5s
deployment: {nodehosts: 3}
clusters: {count: 2}
faults:
  - {kind: kill, target: nodehost, count: 1, for: 5s, at_least: 1}
checks: {evidence: {min_operations: 100, max_missed_percent: 100}}
`

func TestRunPrintsTheResultAndNothingElse(t *testing.T) {
	out := t.TempDir()
	code, stdout, stderr := commandLine(t, "run", file(t, tiny), "--seed", "5", "--json", "--out", out, "--junit", filepath.Join(out, "all.xml"))
	require.Equal(t, program.ExitPass, code, "%s\n%s", stdout, stderr)
	junit, err := os.ReadFile(filepath.Join(out, "all.xml"))
	require.NoError(t, err)
	var suites struct {
		Tests  int `xml:"tests,attr"`
		Suites []struct {
			Name string `xml:"name,attr"`
		} `xml:"testsuite"`
	}
	require.NoError(t, xml.Unmarshal(junit, &suites))
	require.Len(t, suites.Suites, 1)
	require.Equal(t, "drumbeat.tiny", suites.Suites[0].Name)
	require.Greater(t, suites.Tests, 10)
	var r judge.Result
	require.NoError(t, json.Unmarshal([]byte(stdout), &r))
	require.EqualValues(t, 5, r.Seed)
	require.Contains(t, stderr, "seed 5")
	require.Contains(t, r.Reproduce, "--seed 5")

	code, stdout, _ = commandLine(t, "check", filepath.Join(out, "latest"))
	require.Equal(t, program.ExitPass, code)
	require.Contains(t, stdout, "verdict: PASS")

	code, stdout, stderr = commandLine(t, "replay", filepath.Join(out, "latest"), "--out", out)
	require.Equal(t, program.ExitPass, code, stderr)
	require.Contains(t, stdout, "seed 5")
}

// The line that is printed works as it is for whoever ran it: outside of this
// repository, by a program that was installed somewhere.
func TestTheLineThatReproducesARunWorks(t *testing.T) {
	bin, cwd := t.TempDir(), t.TempDir()
	build := exec.Command("go", "build", "-o", bin, ".")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NoError(t, os.WriteFile(filepath.Join(cwd, "my scenario.yaml"), []byte(tiny), 0o644))
	for name, start := range map[string]string{
		"by its path": filepath.Join(bin, "monkey"),
		"on the PATH": "monkey",
	} {
		t.Run(name, func(t *testing.T) {
			shell := func(line string) judge.Result {
				cmd := exec.Command("sh", "-c", line+" --json")
				cmd.Dir, cmd.Env = cwd, append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
				cmd.Stderr = os.Stderr
				out, err := cmd.Output()
				require.NoError(t, err, line)
				var r judge.Result
				require.NoError(t, json.Unmarshal(out, &r))
				return r
			}
			first := shell(start + " run 'my scenario.yaml' --set clusters.count=3 --duration 15s")
			require.True(t, strings.HasPrefix(first.Reproduce, start+" run "), first.Reproduce)
			again := shell(first.Reproduce)
			require.Equal(t, []any{first.Seed, 3}, []any{again.Seed, again.Clusters})
			require.Equal(t, first.Reproduce, again.Reproduce)
		})
	}
}

func TestWhatIsInvalidIsRefusedWithItsLine(t *testing.T) {
	for name, c := range map[string]struct{ text, message string }{
		"unknown field":    {strings.Replace(tiny, "nodehosts", "nodehost", 1), ":4:"},
		"bad unit":         {strings.Replace(tiny, "20s", "20 parsecs", 1), ":2:"},
		"impossible count": {strings.Replace(tiny, "count: 2}", "count: 2, size: 5}", 1), ":5:"},
		"unknown kind":     {strings.Replace(tiny, "kind: kill", "kind: explode", 1), ":7:"},
	} {
		t.Run(name, func(t *testing.T) {
			path := file(t, c.text)
			code, stdout, stderr := commandLine(t, "run", path, "--out", t.TempDir())
			require.Equal(t, program.ExitUsage, code)
			require.Contains(t, stderr, path+c.message)
			require.Empty(t, stdout)
		})
	}
}

func TestBadUsage(t *testing.T) {
	for _, args := range [][]string{
		{"run"}, {"walk"}, {"run", "quickstart", "--seed", "-1"}, {"run", "quickstart", "--speed", "9"},
		{"run", "quickstart", "--duration", "-5s"}, {"run", "quickstart", "--duration", "5"}, {"check", "/nowhere"},
		{"replay", "/nowhere"}, {"serve", "/nowhere"}, {"validate", "/nowhere"},
	} {
		code, _, stderr := commandLine(t, args...)
		require.Equal(t, program.ExitUsage, code, "%v: %s", args, stderr)
		require.NotEmpty(t, stderr, "%v", args)
	}
}

func TestWhatThereIs(t *testing.T) {
	for args, wanted := range map[string]string{
		"list": "quickstart", "version": ", dragonboat v3.", "faults": "power-loss", "checks": "linearizability", "validate quickstart": "quickstart: valid", "help": "soak", "schema": "\"power-loss\"",
	} {
		code, stdout, stderr := commandLine(t, strings.Fields(args)...)
		require.Equal(t, program.ExitPass, code, stderr)
		require.Contains(t, stdout, wanted)
	}
}

func TestSoakEndsAfterItsRuns(t *testing.T) {
	code, stdout, stderr := commandLine(t, "soak", file(t, tiny), "--runs", "2", "--json", "--out", t.TempDir())
	require.Equal(t, program.ExitPass, code, stderr)
	require.Equal(t, 2, strings.Count(stdout, "\n"))
	require.Contains(t, stderr, "2 runs in")
}

// The list can be read on a terminal, and has every check and every measure.
func TestChecksAreListedInLinesOfATerminal(t *testing.T) {
	var out bytes.Buffer
	cmd := checksCommand()
	cmd.SetOut(&out)
	cmd.SetArgs(nil)
	require.NoError(t, cmd.Execute())
	for _, line := range strings.Split(out.String(), "\n") {
		require.LessOrEqual(t, utf8.RuneCountInString(line), width, line)
	}
	for _, k := range scenarios.CheckKinds() {
		require.Contains(t, out.String(), "\n  "+k.Key+"\n")
	}
	for _, m := range scenarios.Measures() {
		require.Contains(t, out.String(), "\n  "+m.Key+"\n")
	}
	require.Equal(t, []string{"a", "longer", "ab cd"}, wrap("a longer ab  cd", 5))
	require.Contains(t, strings.Join(strings.Fields(out.String()), " "), "max_late (10s)")
}

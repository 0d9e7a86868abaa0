// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/selftest/bench"
	"github.com/drumbeat-raft/drumbeat/checker/selftest/generate"
	"github.com/drumbeat-raft/drumbeat/cmd/internal/program"
)

// call runs the command and returns its exit code and what it printed.
func call(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), args, &out, &errs)
	return code, out.String(), errs.String()
}

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
	return path
}

// manyOps is a number of operations that is held in compact form.
const manyOps = 201_000

const legal = `{"client":1,"key":"k","op":"put","value":"v","call":1,"return":2,"outcome":"ok"}
{"client":1,"key":"k","op":"get","observed":"v","call":3,"return":4,"outcome":"ok"}
`
const illegal = `{"client":1,"key":"k","op":"put","value":"v","call":1,"return":2,"outcome":"ok"}
{"client":1,"key":"k","op":"get","observed":null,"call":3,"return":4,"outcome":"ok","host":"h2","why":{"x":[1]}}
`

func TestExitCodes(t *testing.T) {
	good, bad, broken := write(t, "good.jsonl", legal), write(t, "bad.jsonl", illegal), write(t, "broken.jsonl", legal+"{")
	for name, c := range map[string]struct {
		args []string
		want int
	}{
		"ok":               {[]string{good}, program.ExitPass},
		"violation":        {[]string{bad}, program.ExitViolation},
		"the worst counts": {[]string{bad, good}, program.ExitViolation},
		"broken":           {[]string{broken}, program.ExitUsage},
		"broken and bad":   {[]string{broken, bad}, program.ExitUsage},
		"no file":          {nil, program.ExitUsage},
		"missing file":     {[]string{good + "x"}, program.ExitUsage},
		"unknown flag":     {[]string{"--frob", good}, program.ExitUsage},
		"unknown model":    {[]string{"--model", "frob", good}, program.ExitUsage},
		"unknown format":   {[]string{"--format", "frob", good}, program.ExitUsage},
		"wrong format":     {[]string{"--format", "edn", good}, program.ExitUsage},
		"bad memory":       {[]string{"--memory", "much", good}, program.ExitUsage},
		"bad timeout":      {[]string{"--timeout", "-3s", good}, program.ExitUsage},
		"wrong model":      {[]string{"--model", "counter", good}, program.ExitUsage},
		"certified":        {[]string{"--certify", good}, program.ExitPass},
		"help":             {[]string{"--help"}, program.ExitPass},
	} {
		t.Run(name, func(t *testing.T) {
			code, _, stderr := call(t, c.args...)
			require.Equal(t, c.want, code, stderr)
		})
	}
}

func TestOneLineAFile(t *testing.T) {
	good, bad := write(t, "good.jsonl", legal), write(t, "bad.jsonl", illegal)
	_, stdout, stderr := call(t, good, bad)
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	require.Len(t, lines, 2)
	require.Regexp(t, `^`+good+`: ok \(2 ops, [0-9.]+[mµn]?s\)$`, lines[0])
	require.Regexp(t, `^`+bad+`: violation \(2 ops, [0-9.]+[mµn]?s\)$`, lines[1])
	require.Contains(t, stderr, `client 1 read nothing from k at 4, but client 1 wrote "v" to it and was done at 2`)
}

func TestEveryMistakeOfAnInputHasALine(t *testing.T) {
	broken := write(t, "broken.jsonl", legal+"{\n"+legal+`{"op":"put"}`+"\n")
	code, stdout, stderr := call(t, broken)
	require.Equal(t, program.ExitUsage, code)
	require.Empty(t, stdout)
	require.Equal(t, "checker: "+broken+":3: column 2: a string is expected\nchecker: "+broken+`:6: the operation has no "call"`+"\n", stderr)
	_, _, stderr = call(t, write(t, "noise.jsonl", strings.Repeat("{\n", 50)))
	require.Equal(t, 21, strings.Count(stderr, "\n"), "the first twenty, and how many more")
	require.Contains(t, stderr, "noise.jsonl: and 30 more\n")
}

func TestJSONHoldsTheCoreWithItsForeignFields(t *testing.T) {
	bad := write(t, "bad.jsonl", illegal)
	code, stdout, _ := call(t, "--json", bad)
	require.Equal(t, program.ExitViolation, code)
	var got struct {
		File, Verdict, Engine string
		Ops                   int
		Seconds               float64
		Core                  []map[string]any
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &got))
	require.Equal(t, bad, got.File)
	require.Equal(t, "violation", got.Verdict)
	require.Equal(t, 2, got.Ops)
	require.Equal(t, "zones", got.Engine)
	require.Positive(t, got.Seconds)
	require.Len(t, got.Core, 2)
	require.Equal(t, map[string]any{"x": []any{1.0}}, got.Core[1]["why"])
	require.Equal(t, nil, got.Core[1]["observed"])
}

func TestVizDrawsTheViolation(t *testing.T) {
	page := filepath.Join(t.TempDir(), "v.html")
	code, _, stderr := call(t, "--viz", page, write(t, "bad.jsonl", illegal))
	require.Equal(t, program.ExitViolation, code, stderr)
	html, err := os.ReadFile(page)
	require.NoError(t, err)
	require.Equal(t, 2, strings.Count(string(html), `<g class="op ok core"`), "the operations that contradict each other")
}

// A big history is held in compact form; its core comes from a second read.
func TestBigHistories(t *testing.T) {
	var b bytes.Buffer
	ops := generate.History(generate.Spec{Seed: 3, Ops: manyOps, Keys: 50, Clients: 16, Put: 0.3, Cas: 0.2, Unknown: 0.01, Strings: true})
	require.NoError(t, history.WriteJSONL(&b, ops))
	code, stdout, stderr := call(t, write(t, "big.jsonl", b.String()))
	require.Equal(t, program.ExitPass, code, stderr)
	require.Contains(t, stdout, fmt.Sprint(len(ops), " ops"))
	for i := range ops {
		ops[i].Host = "somewhere"
	}
	ops = append(ops, generate.Planted(generate.StaleRead, "planted", 1<<40, false)...)
	b.Reset()
	require.NoError(t, history.WriteJSONL(&b, ops))
	code, _, stderr = call(t, write(t, "bad.jsonl", b.String()))
	require.Equal(t, program.ExitViolation, code, stderr)
	require.Contains(t, stderr, `client 900003 read "planted-1" from planted`)
}

func sharedHistories(t *testing.T) map[string]int {
	t.Helper()
	dir := bench.Histories(".")
	f, err := os.Open(filepath.Join(dir, "etcd-jepsen", "expected.csv"))
	if err != nil {
		t.Skipf("the folder of real histories is not there: %v", err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	want := make(map[string]int)
	for _, row := range rows[1:] {
		code, known := map[string]int{"true": program.ExitPass, "false": program.ExitViolation}[row[1]]
		require.True(t, known, "%v", row)
		want[filepath.Join(dir, "etcd-jepsen", row[0])] = code
	}
	for _, pattern := range []string{"kv/*", "dragonboat-nightly/*"} {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		require.NoError(t, err)
		require.NotEmpty(t, files, pattern)
		for _, file := range files {
			want[file] = program.ExitPass
			if strings.HasSuffix(file, "-bad.txt") {
				want[file] = program.ExitViolation
			}
		}
	}
	return want
}

// Every real history keeps its verdict through every format and packing that
// can hold it; package history tests that it also stays the same history.
func TestRealHistoriesKeepTheirVerdictThroughConversion(t *testing.T) {
	dir := t.TempDir()
	for path, want := range sharedHistories(t) {
		code, _, stderr := call(t, "--certify", path)
		require.Equal(t, want, code, "%s: %s", path, stderr)
		for _, through := range []string{"jsonl", "edn", "jepsen"} {
			there := filepath.Join(dir, "there."+through+".zst")
			code, _, stderr := call(t, "--convert", through, "-o", there, path)
			if through == "jepsen" && filepath.Base(filepath.Dir(path)) == "kv" {
				require.Equal(t, program.ExitUsage, code, path)
				require.Contains(t, stderr, "a Jepsen log")
				continue
			}
			require.Equal(t, program.ExitPass, code, stderr)
			code, _, stderr = call(t, there)
			require.Equal(t, want, code, "%s as %s: %s", path, through, stderr)
		}
	}
}

func TestTheComparisonCanBeRunByAnyone(t *testing.T) {
	code, stdout, stderr := call(t, "--compare", "2000", "--seed", "5")
	require.Equal(t, program.ExitPass, code, stdout+stderr)
	require.Contains(t, stdout, "seed 5: 2000 histories")
}

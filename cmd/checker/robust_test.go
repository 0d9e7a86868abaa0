// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear"
	"github.com/drumbeat-raft/drumbeat/checker/linear/model"
	"github.com/drumbeat-raft/drumbeat/checker/selftest/generate"
	"github.com/drumbeat-raft/drumbeat/cmd/internal/program"
)

// objects reads what --json printed.
func objects(t *testing.T, stdout string) (all []map[string]any) {
	t.Helper()
	for line := range strings.Lines(stdout) {
		var o map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &o))
		all = append(all, o)
	}
	return all
}

func TestEveryFileHasAnObject(t *testing.T) {
	good, bad, broken := write(t, "good.jsonl", legal), write(t, "bad.jsonl", illegal), write(t, "broken.jsonl", legal+"{")
	missing := filepath.Join(t.TempDir(), "missing")
	code, stdout, stderr := call(t, "--json", good, broken, missing, bad)
	require.Equal(t, program.ExitUsage, code)
	all := objects(t, stdout)
	require.Len(t, all, 4)
	for i, want := range []map[string]any{
		{"file": good, "verdict": "ok", "ops": 2.0, "checked": 2.0, "engine": "zones"},
		{"file": broken, "verdict": "unknown", "ops": 2.0, "checked": 0.0, "engine": "none"},
		{"file": missing, "verdict": "unknown", "ops": 0.0, "checked": 0.0, "engine": "none"},
		{"file": bad, "verdict": "violation", "ops": 2.0, "checked": 2.0, "engine": "zones"},
	} {
		require.Subset(t, all[i], want)
		require.Contains(t, all[i], "seconds")
	}
	require.Contains(t, all[1]["error"], broken+":3: ")
	require.Contains(t, all[2]["error"], "no such file")
	require.NotContains(t, all[0], "error")
	require.Contains(t, stderr, broken+":3: ")
}

func TestOnlyAnOKIsCertified(t *testing.T) {
	mixed := strings.ReplaceAll(legal, `"k"`, `"other"`) + illegal
	_, stdout, _ := call(t, "--json", "--certify", write(t, "good.jsonl", legal), write(t, "mixed.jsonl", mixed))
	all := objects(t, stdout)
	require.Equal(t, true, all[0]["certified"])
	require.Equal(t, "violation", all[1]["verdict"])
	require.NotContains(t, all[1], "certified")
	_, stdout, _ = call(t, "--json", write(t, "good.jsonl", legal))
	require.NotContains(t, objects(t, stdout)[0], "certified", "nobody asked")
}

// A history in which nothing says anything is linearizable; that it says
// nothing is said.
func TestNothingToJudge(t *testing.T) {
	silent := write(t, "silent.jsonl", `{"key":"a","op":"get","call":1,"outcome":"unknown"}`)
	code, stdout, stderr := call(t, silent)
	require.Equal(t, program.ExitPass, code)
	require.Regexp(t, `^`+silent+`: ok \(1 ops, [0-9.]+[mµn]?s\)\n$`, stdout)
	require.Contains(t, stderr, "none of the 1 operations says anything")
	_, stdout, _ = call(t, "--json", "--certify", silent)
	require.Subset(t, objects(t, stdout)[0], map[string]any{"verdict": "ok", "ops": 1.0, "checked": 0.0, "certified": true})
	_, _, stderr = call(t, write(t, "good.jsonl", legal))
	require.Empty(t, stderr)
}

func TestConvertNeverDestroysItsInput(t *testing.T) {
	twoKeys := legal + strings.ReplaceAll(legal, `"k"`, `"other"`)
	path := write(t, "h.jsonl", twoKeys)
	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Link(path, link))
	for _, args := range [][]string{
		{"--convert", "jepsen", "-o", path, path}, {"--convert", "jsonl", "-o", path, path},
		{"--convert", "jsonl", "-o", link, path}, {"--viz", path, path},
	} {
		code, stdout, stderr := call(t, args...)
		require.Equal(t, program.ExitUsage, code)
		require.Empty(t, stdout)
		require.Contains(t, stderr, "would write over the history itself")
	}
	out := write(t, "out.log", "before")
	code, _, stderr := call(t, "--convert", "jepsen", "-o", out, path)
	require.Equal(t, program.ExitUsage, code)
	require.Contains(t, stderr, "several keys")
	for file, want := range map[string]string{path: twoKeys, out: "before"} {
		b, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, want, string(b))
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

// What can't be written is the checker's trouble, not the input's, and takes no
// verdict away.
func TestErrorsOfOutput(t *testing.T) {
	good, bad := write(t, "good.jsonl", legal), write(t, "bad.jsonl", illegal)
	code, stdout, stderr := call(t, "--viz", filepath.Join(t.TempDir(), "no", "x.html"), bad)
	require.Equal(t, program.ExitInternal, code)
	require.Contains(t, stdout, ": violation (2 ops")
	require.Contains(t, stderr, "x.html can't be written: no such file")
	code, _, stderr = call(t, "--convert", "edn", "-o", filepath.Join(t.TempDir(), "no", "x"), good)
	require.Equal(t, program.ExitInternal, code, stderr)
	for _, args := range [][]string{{good}, {"--json", good, bad}, {"--compare", "10"}} {
		var errs bytes.Buffer
		require.Equal(t, program.ExitInternal, run(t.Context(), args, full{}, &errs))
		require.Contains(t, errs.String(), "standard output can't be written: no space left")
	}
}

// bigBad is a history that is held in compact form, with a violation.
func bigBad(t *testing.T) []byte {
	t.Helper()
	ops := generate.History(generate.Spec{Seed: 3, Ops: manyOps, Keys: 50, Clients: 16, Put: 0.3, Strings: true})
	ops = append(ops, generate.Planted(generate.StaleRead, "planted", 1<<40, false)...)
	var b bytes.Buffer
	require.NoError(t, history.WriteJSONL(&b, ops))
	return b.Bytes()
}

// What can be read only once is held as it was read.
func TestBigHistoriesThatCanBeReadOnlyOnce(t *testing.T) {
	history := bigBad(t)
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	go func() {
		_, _ = io.Copy(w, bytes.NewReader(history))
		w.Close()
	}()
	path := fmt.Sprintf("/dev/fd/%d", r.Fd())
	if _, err := os.Stat(path); err != nil {
		t.Skipf("no %s here: %v", path, err)
	}
	code, stdout, stderr := call(t, path)
	require.Equal(t, program.ExitViolation, code, stderr)
	require.Contains(t, stdout, ": violation (")
	require.Contains(t, stderr, `client 900003 read "planted-1" from planted`)
}

func TestTheDirectoryOfARunIsJudged(t *testing.T) {
	dir := t.TempDir()
	r, err := history.NewRecorder(dir)
	require.NoError(t, err)
	put := func(client int64, value string, from, to int64) {
		h, err := r.Invoke(history.Op{Client: client, Key: "k", Kind: history.Put, Value: history.String(value), Call: from})
		require.NoError(t, err)
		_, err = r.Return(h, history.Answer{Outcome: history.OK, Return: to})
		require.NoError(t, err)
	}
	put(1, "a", 1, 2)
	_, err = r.Invoke(history.Op{Client: 2, Key: "k", Kind: history.Put, Value: history.String("open"), Call: 3})
	require.NoError(t, err)
	require.NoError(t, r.Flush())

	// What a kill leaves.
	killed := t.TempDir()
	require.NoError(t, os.CopyFS(killed, os.DirFS(dir)))
	code, stdout, stderr := call(t, killed)
	require.Equal(t, program.ExitPass, code, stderr)
	require.Contains(t, stdout, killed+": ok (2 ops, ")
	require.Contains(t, stderr, "the recording did not end: the last operations may be missing, and 1 writes are taken for unknown")

	require.NoError(t, r.Close())
	code, stdout, stderr = call(t, "--certify", dir)
	require.Equal(t, program.ExitPass, code)
	require.Contains(t, stdout, dir+": ok (2 ops, ")
	require.Empty(t, stderr)

	code, _, _ = call(t, "--viz", filepath.Join(dir, history.FileName), dir)
	require.Equal(t, program.ExitUsage, code, "the history itself")
	code, _, stderr = call(t, "--convert", "edn", "-o", filepath.Join(t.TempDir(), "x"), dir)
	require.Equal(t, program.ExitPass, code, stderr)
	code, _, stderr = call(t, "--format", "edn", dir)
	require.Equal(t, program.ExitUsage, code)
	require.Contains(t, stderr, "is a directory")
	code, _, stderr = call(t, t.TempDir())
	require.Equal(t, program.ExitUsage, code)
	require.Contains(t, stderr, "is a directory, and holds no "+history.FileName)
}

func TestVizDrawsEveryKeyOfAnOK(t *testing.T) {
	page := filepath.Join(t.TempDir(), "v.html")
	var many strings.Builder
	for i := range maxFigures + 3 {
		many.WriteString(strings.ReplaceAll(legal, `"k"`, fmt.Sprintf(`"k%d"`, i)))
	}
	code, _, stderr := call(t, "--viz", page, write(t, "many.jsonl", many.String()))
	require.Equal(t, program.ExitPass, code, stderr)
	html, err := os.ReadFile(page)
	require.NoError(t, err)
	require.Equal(t, maxFigures, strings.Count(string(html), "<svg"))
	require.Contains(t, string(html), "<h2>key k19</h2>")
	require.Contains(t, string(html), "3 more keys are not drawn.")
}

func TestABankIsDrawnWithoutAKey(t *testing.T) {
	page := filepath.Join(t.TempDir(), "v.html")
	bank := `{"client":1,"key":"a","op":"put","value":5,"call":1,"return":2,"outcome":"ok"}
{"client":1,"key":"b","op":"put","value":5,"call":3,"return":4,"outcome":"ok"}
`
	code, _, stderr := call(t, "--model", "bank", "--viz", page, write(t, "bank.jsonl", bank))
	require.Equal(t, program.ExitPass, code, stderr)
	html, err := os.ReadFile(page)
	require.NoError(t, err)
	require.NotContains(t, string(html), "key ")
	require.Equal(t, 1, strings.Count(string(html), "<svg"), "the accounts belong together")
}

type broken struct{ model.Model }

func (broken) Validate(*history.Op) error { panic("a bug") }

// A panic costs the file at which it happens its verdict, and no other one.
func TestAPanicDoesNotEndTheRun(t *testing.T) {
	defer func(was []model.Model) { model.All = was }(model.All)
	model.All = append([]model.Model{broken{model.Register}}, model.All...)
	good := write(t, "good.jsonl", legal)
	code, stdout, stderr := call(t, "--json", "--model", "register", good, good)
	require.Equal(t, program.ExitInternal, code)
	require.Len(t, objects(t, stdout), 2)
	require.Contains(t, stderr, "internal error: a bug")
	require.Contains(t, stderr, "robust_test.go", "the stack")
}

// hard is a history that takes the general search forever.
func hard(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	seed := uint32(3)
	draw := func(n int) int {
		seed = seed*1664525 + 1013904223
		return int(seed>>8) % n
	}
	for i := range 400 {
		kind, field := "get", "observed"
		if draw(2) == 0 {
			kind, field = "put", "value"
		}
		fmt.Fprintf(&b, `{"client":%d,"key":"k","op":"%s","%s":%d,"call":%d,"return":%d,"outcome":"ok"}`+"\n",
			i, kind, field, draw(60), 10*i, 10*i+300+draw(600))
	}
	return write(t, "hard.jsonl", b.String())
}

func TestAnInterruptedSearchSaysSo(t *testing.T) {
	path := hard(t)
	var o options
	require.NoError(t, flags(&o, io.Discard).Parse([]string{path}))
	o.memoryBytes, o.timeout = 1<<30, -1
	h, _, err := load(t.Context(), &o, path, io.Discard)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	v, err := check(ctx, &o, h)
	require.NoError(t, err)
	require.Equal(t, linear.Unknown, v.Verdict)
	require.Equal(t, "interrupted during the search", v.Explanation)
}

// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/explain"
	"github.com/drumbeat-raft/drumbeat/checker/linear/model"
)

// The scripts tell histories and what is said about them.
//
//	check [model=kv]
//	CLIENT KEY: put V | get V | cas OLD NEW | append V | delete  CALL-RETURN  [ok|fail|unknown] [saw=V] [refuted] [writer=N] [of=N]
//
// V is a word, an integer, or nil.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "../../testdata/checker", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			require.Equal(t, "check", d.Cmd)
			name := "kv"
			d.MaybeScanArgs(t, "model", &name)
			var ops []history.Op
			for _, line := range strings.Split(strings.TrimSpace(d.Input), "\n") {
				ops = append(ops, scriptOp(t, line))
			}
			return scriptCheck(t, name, ops)
		})
	})
}

func scriptCheck(t *testing.T, name string, ops []history.Op) string {
	m, err := model.ByName(name)
	require.NoError(t, err)
	res, err := Check(t.Context(), ops, Options{Model: m, Certify: true})
	if err != nil {
		return fmt.Sprintf("refused: %v\n", err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s by %s\n", res.Verdict, res.Engine)
	for _, k := range res.PerKey {
		if order := res.Orders[k.Key]; k.Verdict == OK && order != nil {
			fmt.Fprintf(&b, "order of %s: %v\n", k.Key, order)
		}
	}
	if res.Explanation != "" {
		fmt.Fprintln(&b, res.Explanation)
	}
	for i := range res.Core {
		fmt.Fprintf(&b, "  %s\n", explain.Describe(&res.Core[i]))
	}
	return b.String()
}

func scriptOp(t *testing.T, line string) history.Op {
	t.Helper()
	op := history.Op{Outcome: history.OK}
	f := strings.Fields(line)
	_, err := fmt.Sscanf(f[0], "%d", &op.Client)
	require.NoError(t, err, line)
	op.Key, op.Kind = strings.TrimSuffix(f[1], ":"), history.Kind(f[2])
	f = f[3:]
	take := func() history.Value {
		v := scriptValue(f[0])
		f = f[1:]
		return v
	}
	switch op.Kind {
	case history.Get:
		op.Observed = take()
	case history.Cas:
		op.Expected, op.Value = take(), take()
	case history.Delete:
	default:
		op.Value = take()
	}
	call, ret, ended := strings.Cut(f[0], "-")
	_, err = fmt.Sscanf(call, "%d", &op.Call)
	require.NoError(t, err, line)
	if ended {
		_, err = fmt.Sscanf(ret, "%d", &op.Return)
		require.NoError(t, err, line)
	}
	for _, word := range f[1:] {
		name, v, _ := strings.Cut(word, "=")
		switch name {
		case "ok", "fail", "unknown":
			op.Outcome = history.Outcome(name)
		case "saw":
			op.Observed = scriptValue(v)
		case "refuted":
			op.Refuted = true
		case "writer":
			op.Writer = v
		case "of":
			op.ObservedWriter = v
		default:
			t.Fatalf("%s: %q is no part of an operation", line, word)
		}
	}
	return op
}

func scriptValue(word string) history.Value {
	if word == "nil" {
		return history.Absent
	}
	if v := history.Integer(word); v.Stated() {
		return v
	}
	return history.String(word)
}

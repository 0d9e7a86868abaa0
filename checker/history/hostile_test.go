// SPDX-License-Identifier: Apache-2.0

package history

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
)

const good = `{"client":1,"key":"k","op":"put","value":"v","call":1,"return":2,"outcome":"ok"}` + "\n"

// Input that is wrong names the file and the line.
func TestHostileInputIsRefusedWithItsLine(t *testing.T) {
	jepsen := func(s string) string { return "INFO  jepsen.util - " + s + "\n" }
	for name, c := range map[string]struct{ input, want string }{
		"cut JSON":                {good + `{"client":1,"key":"k","op":"pu`, "f:2: "},
		"cut JSON after a field":  {good + `{"client":1,"call":1`, "f:2: "},
		"return before call":      {good + good + strings.Replace(good, `"call":1`, `"call":9`, 1), "f:3: the operation returns at 2, before its call at 9"},
		"no call":                 {`{"op":"put","value":"v","return":2,"outcome":"ok"}`, `f:1: the operation has no "call"`},
		"no return":               {`{"op":"put","value":"v","call":2,"outcome":"ok"}`, `needs "return"`},
		"no outcome":              {`{"op":"put","value":"v","call":2,"return":3}`, `no "outcome"`},
		"no op":                   {`{"value":"v","call":2,"return":3,"outcome":"ok"}`, `no "op"`},
		"bad outcome":             {strings.Replace(good, `"ok"`, `"maybe"`, 1), `"maybe" is none of ok, fail, unknown`},
		"put without a value":     {strings.Replace(good, `"value":"v",`, ``, 1), `a put needs "value"`},
		"get without observed":    {`{"op":"get","call":1,"return":2,"outcome":"ok"}`, `needs "observed"`},
		"cas without expected":    {strings.Replace(good, `"put"`, `"cas"`, 1), `a cas needs`},
		"a field twice":           {strings.Replace(good, `"call"`, `"call":3,"call"`, 1), `field "call" is given twice`},
		"an unknown field twice":  {strings.Replace(good, `"call"`, `"x":3,"x":4,"call"`, 1), `field "x": is given twice`},
		"a fraction":              {strings.Replace(good, `"v"`, `1.5`, 1), "1.5 is not an integer"},
		"an array as a value":     {strings.Replace(good, `"v"`, `[1]`, 1), "a value is a string"},
		"a time beyond 64 bits":   {strings.Replace(good, `"return":2`, `"return":99999999999999999999`, 1), "64 bits"},
		"the end of time":         {strings.Replace(good, `"return":2`, `"return":9223372036854775807`, 1), "stands for never"},
		"the beginning of time":   {strings.Replace(good, `"call":1`, `"call":-9223372036854775808`, 1), "beginning of time"},
		"not UTF-8":               {strings.Replace(good, `"v"`, "\"\xff\"", 1), "not UTF-8"},
		"half a surrogate pair":   {strings.Replace(good, `"v"`, `"\ud800"`, 1), "surrogate"},
		"something after":         {good[:len(good)-1] + "x", "something follows"},
		"not JSON":                {"hello\n", "f:1: is neither JSONL, nor EDN, nor a Jepsen log"},
		"empty":                   {"", "f: is empty"},
		"nested too deep":         {"[" + strings.Repeat("[", 5000), "nested more than 32 deep"},
		"EDN two open":            {"{:process 0, :type :invoke, :f :read, :value nil}\n{:process 0, :type :invoke, :f :read, :value nil}", "f:2: process 0 begins an operation while its operation of line 1 is open"},
		"EDN return without call": {"\n{:process 3, :type :ok, :f :read, :value 1}", "f:2: process 3 ends an operation (:ok :read) that it did not begin"},
		"EDN other end":           {"{:process 0, :type :invoke, :f :read, :value nil}\n{:process 0, :type :ok, :f :write, :value 1}", "f:2: process 0 ends a put, but began a get on line 1"},
		"EDN cut":                 {"[{:process 0, :type :invoke, :f :read, :value nil}\n", "f:2: the input ends without the closing"},
		"EDN cut in a map":        {"{:process 0, :type :invoke,\n:f :re", "f:2: the input ends in the middle"},
		"EDN bad type":            {"{:process 0, :type :invoke, :f :read}\n{:process 0, :type :huh, :f :read}", ":type :huh is none of"},
		"EDN bad f":               {"{:process 0, :type :invoke, :f :frob, :value nil}", ":f :frob is none of"},
		"EDN no process":          {"{:type :invoke, :f :read, :value nil}", "no :process"},
		"EDN keyword as a value":  {"{:process 0, :type :invoke, :f :write, :value :x}", ":x is no value"},
		"EDN cas of one":          {"{:process 0, :type :invoke, :f :cas, :value [1]}", "a vector of two"},
		"EDN mixed keys":          {"{:process 0, :type :invoke, :f :read, :key 1}\n{:process 1, :type :invoke, :f :read, :key \"1\"}", "f:2: the key \"1\" is of another type"},
		"Jepsen two open":         {jepsen("0\t:invoke\t:read\tnil") + jepsen("0\t:invoke\t:read\tnil"), "f:2: process 0 begins"},
		"Jepsen return only":      {jepsen("0\t:ok\t:read\t1"), "f:1: process 0 ends"},
		"Jepsen cut":              {jepsen("0\t:invoke\t:read\tnil") + "INFO  jepsen.util - 0\t:ok\t:re", "f:2: "},
		"Jepsen bad process":      {jepsen("x\t:ok\t:read\t1"), `"x" is no process number`},
	} {
		t.Run(name, func(t *testing.T) {
			src, err := newSource("f", strings.NewReader(c.input), Auto)
			if err == nil {
				_, err = ReadAll(src)
			}
			require.ErrorContains(t, err, c.want)
			var in *InputError
			require.ErrorAs(t, err, &in)
		})
	}
}

func TestALineWithoutEndIsRefused(t *testing.T) {
	_, err := ReadAll(NewJSONL("f", endless{}))
	require.ErrorContains(t, err, "f:1: the line is longer than")
}

type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}

func TestPackedFilesAreOpenedByContentAndRefusedWhenCut(t *testing.T) {
	text := strings.Repeat(good, 5000)
	var gz, zs bytes.Buffer
	w := gzip.NewWriter(&gz)
	_, err := w.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	zw, err := zstd.NewWriter(&zs, zstd.WithEncoderConcurrency(1))
	require.NoError(t, err)
	_, err = zw.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, zw.Close())
	for name, packed := range map[string][]byte{"h.gz": gz.Bytes(), "h.zst": zs.Bytes(), "misnamed.jsonl": zs.Bytes()} {
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, packed, 0o644))
		ops, err := ReadFile(path, Auto)
		require.NoError(t, err)
		require.Len(t, ops, 5000)
		for _, cut := range []int{5, len(packed) / 2, len(packed) - 1} {
			require.NoError(t, os.WriteFile(path, packed[:cut], 0o644))
			_, err = ReadFile(path, JSONL)
			require.Error(t, err, "%s cut at %d of %d", name, cut, len(packed))
		}
	}
}

func TestFilesThatAreNoneAreRefused(t *testing.T) {
	dir := t.TempDir()
	_, err := ReadFile(filepath.Join(dir, "missing"), Auto)
	require.ErrorContains(t, err, "missing: no such file")
	_, err = ReadFile(dir, Auto)
	require.ErrorContains(t, err, "is a directory")
	empty := filepath.Join(dir, "x.zst")
	require.NoError(t, os.WriteFile(empty, nil, 0o644))
	_, err = ReadFile(empty, JSONL)
	require.ErrorContains(t, err, "is empty")
}

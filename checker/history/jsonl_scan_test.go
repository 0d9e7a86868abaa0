// SPDX-License-Identifier: Apache-2.0

package history

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// sameParse compares the scanner with the parser on one line: what the scanner
// takes the parser takes, too, and reads the same.
func sameParse(t *testing.T, line []byte) (taken bool) {
	t.Helper()
	var scanned Op
	if !scanLine(line, &scanned) {
		return false
	}
	parsed, err := parseJSON(line)
	if err != nil {
		t.Fatalf("scanned as %+v, but: %v\n%s", scanned, err, line)
	}
	if !reflect.DeepEqual(scanned, parsed) {
		t.Fatalf("scanned as %+v, parsed as %+v\n%s", scanned, parsed, line)
	}
	return true
}

// randomOp makes an operation of any kind, valid or not.
func randomOp(rng *rand.Rand) Op {
	plain := []string{"", "k", "c12-7", "a long text with spaces", "{}", "null", "07"}
	texts := []string{"é", "\"", "\\", "\x01", "\U0001F600"}
	word := func() string {
		if rng.IntN(20) == 0 {
			return texts[rng.IntN(len(texts))]
		}
		return plain[rng.IntN(len(plain))]
	}
	maybe := func() string {
		if rng.IntN(3) == 0 {
			return word()
		}
		return ""
	}
	value := func() Value {
		switch rng.IntN(6) {
		case 0:
			return Value{}
		case 1:
			return Absent
		case 2:
			return Bool(rng.IntN(2) == 0)
		case 3:
			return Int(rng.Int64() - rng.Int64())
		case 4:
			return Int(int64(rng.IntN(20) - 10))
		}
		return String(word())
	}
	op := Op{
		Client: int64(rng.IntN(50) - 3), Key: word(), Kind: []Kind{Get, Put, Cas, Append, Delete, Add}[rng.IntN(6)],
		Value: value(), Expected: value(), Observed: value(), Call: rng.Int64N(1 << (1 + rng.IntN(62))), Return: rng.Int64(),
		Outcome: []Outcome{OK, Fail, Unknown, "odd"}[rng.IntN(4)], Refuted: rng.IntN(5) == 0,
		Writer: maybe(), ObservedWriter: maybe(), Host: maybe(), Session: maybe(),
	}
	if rng.IntN(3) == 0 {
		op.Cluster, op.Seq, op.ID = uint64(rng.IntN(3)), rng.Uint64(), uint64(rng.IntN(1000))
	}
	if rng.IntN(3) == 0 {
		op.By = &Replica{Host: maybe(), Node: uint64(rng.IntN(3)), Term: uint64(rng.IntN(100)), Applied: uint64(rng.IntN(1000))}
	}
	return op
}

func TestTheScannerReadsWhatTheParserReads(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	taken, valid := 0, 0
	for range 200_000 {
		op := randomOp(rng)
		line, err := op.AppendJSON(nil)
		require.NoError(t, err)
		line = bytes.TrimSuffix(line, []byte("\n"))
		if rng.IntN(3) == 0 { // break something
			at := rng.IntN(len(line))
			switch rng.IntN(4) {
			case 0:
				line = append(line[:at:at], line[at+1:]...)
			case 1:
				line[at] = byte(rng.IntN(256))
			case 2:
				line = line[:at]
			case 3:
				line = append(line[:at:at], append([]byte{`0-" ,}{\`[rng.IntN(8)]}, line[at:]...)...)
			}
		}
		if sameParse(t, line) {
			taken++
		}
		if _, err := parseJSON(line); err == nil {
			valid++
		}
	}
	require.Greater(t, taken, valid/2, "the scanner takes most lines of ASCII without escapes")
	require.Less(t, taken, valid)
}

// The lines that a Recorder writes are the ones that have to be read fast.
func TestTheScannerTakesWhatIsWritten(t *testing.T) {
	for _, op := range []Op{
		{Client: 3, Key: "k1", Kind: Put, Value: String("c3-17"), Call: 123456, Return: 123999, Outcome: OK},
		{Client: -3, Key: "", Kind: Get, Observed: Absent, Call: -5, Return: 0, Outcome: OK, ObservedWriter: InitialWriter, Host: "nodehost-1:2", Cluster: 7, ID: 9},
		{Client: 1, Key: "7/k0", Kind: Cas, Expected: Int(-12), Value: Bool(true), Call: 1, Outcome: Unknown, Writer: "w", Session: "7/12", Seq: 3},
		{Key: "k", Kind: Cas, Expected: Absent, Value: Int(0), Refuted: true, Call: 1, Return: 2, Outcome: Fail},
		{Key: "k", Kind: Get, Observed: Absent, Call: 1, Return: 2, Outcome: OK, Host: "nodehost-1:2", By: &Replica{Host: "nodehost-3:2", Node: 4, Term: 9, Applied: 512}, Cluster: 7, ID: 9},
		{Key: "k", Kind: Append, Value: String("x"), Call: 1, Return: 2, Outcome: OK},
		{Key: "k", Kind: Delete, Call: 1, Return: 2, Outcome: OK},
	} {
		line, err := op.AppendJSON(nil)
		require.NoError(t, err)
		require.True(t, sameParse(t, bytes.TrimSpace(line)), "%s", line)
	}
}

func FuzzScanLine(f *testing.F) {
	f.Add([]byte(strings.TrimSpace(good)))
	f.Add([]byte(`{"client":-3,"key":"k","op":"cas","value":12,"expected":null,"observed":false,"call":-5,"return":7,"outcome":"fail","refuted":true,"writer":"w","observed_writer":"initial","host":"h","session":"s","cluster":7,"seq":1,"id":2}`))
	f.Add([]byte(`{"client":0,"key":"","op":"append","value":"","call":1,"outcome":"unknown"}`))
	f.Fuzz(func(t *testing.T, line []byte) { sameParse(t, line) })
}

// However a file is cut into segments, each line is read once, with its number.
func TestSegmentsReadEachLineOnce(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	for round := range 300 {
		var text []byte
		var want []int64
		lines := rng.IntN(12)
		for i := range lines {
			switch rng.IntN(5) {
			case 0:
				text = append(text, strings.Repeat(" ", rng.IntN(3))+"\n"...)
			case 1:
				text = append(text, strings.Repeat("x", 1+rng.IntN(5))+"\r\n"...)
				want = append(want, -int64(i+1))
			default:
				text = fmt.Appendf(text, `{"key":"%s","op":"delete","call":%d,"outcome":"unknown"}`+"\n", strings.Repeat("k", rng.IntN(60)), i+1)
				want = append(want, int64(i+1))
			}
		}
		if rng.IntN(2) == 0 {
			text = bytes.TrimSuffix(text, []byte("\n"))
		}
		n := int64(1 + rng.IntN(6))
		size := int64(len(text))
		var got []int64
		before := 0
		buffer := make([]byte, 1+rng.IntN(64))
		for i := range n {
			s := segment{path: "f", from: size * i / n, to: size * (i + 1) / n, size: size, do: func(op *Op) error {
				got = append(got, op.Call)
				return nil
			}}
			var err error
			buffer, err = s.read(t.Context(), bytes.NewReader(text), buffer)
			require.NoError(t, err)
			for _, wrong := range s.wrong.first {
				got = append(got, -int64(wrong.Line+before))
			}
			before += s.lines
		}
		require.ElementsMatch(t, want, got, "round %d, %d segments:\n%s", round, n, text)
	}
}

// A file is read the same in parts, as a stream, and packed.
func TestPartsAndStreamsReadTheSame(t *testing.T) {
	var text bytes.Buffer
	rng := rand.New(rand.NewPCG(9, 9))
	wrong := 0
	for text.Len() < 3*segmentBytes {
		op := randomOp(rng)
		line, err := op.AppendJSON(nil)
		require.NoError(t, err)
		if op.Outcome == "odd" || op.Validate() != nil {
			if rng.IntN(400) != 0 {
				continue
			}
			wrong++
		}
		text.Write(line)
	}
	require.Greater(t, wrong, 2)
	path := filepath.Join(t.TempDir(), "h.jsonl")
	require.NoError(t, os.WriteFile(path, text.Bytes(), 0o600))
	src, err := newSource(path, bytes.NewReader(text.Bytes()), JSONL)
	require.NoError(t, err)
	streamed, streamErr := ReadAll(src)
	var parts [][]Op
	err = ReadParts(t.Context(), path, Auto, func() Collector {
		n := len(parts)
		parts = append(parts, nil)
		return func(op *Op) error {
			parts[n] = append(parts[n], op.Clone())
			return nil
		}
	})
	require.EqualError(t, err, streamErr.Error())
	var read []Op
	for _, p := range parts {
		read = append(read, p...)
	}
	require.True(t, reflect.DeepEqual(streamed, read), "the operations")
}

func TestAllMistakesAreTold(t *testing.T) {
	invoke := func(process int) string {
		return fmt.Sprintf("{:process %d, :type :invoke, :f :read, :value nil}\n", process)
	}
	for name, c := range map[string]struct {
		input string
		want  []string
	}{
		"JSONL": {good + "{\n" + good + `{"op":"put"}` + "\n", []string{"f:2: column 2: a string is expected", `f:4: the operation has no "call"`}},
		"EDN": {
			invoke(0) + "{:process 3, :type :ok, :f :read, :value 1}\n" + invoke(0) + "{:process 0, :type :ok, :f :read, :value 1}\n" + "{:process 1, :type :ok}\n" + "{:process",
			[]string{"f:2: process 3 ends an operation", "f:3: process 0 begins an operation while", "f:5: the event needs a keyword as its :f", "f:6: the input ends in the middle of a form"},
		},
		"Jepsen": {
			"INFO  jepsen.util - 0\t:ok\t:read\t1\nINFO  jepsen.util - x\t:ok\t:read\t1\n",
			[]string{"f:1: process 0 ends", `f:2: "x" is no process number`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			src, err := newSource("f", strings.NewReader(c.input), Auto)
			require.NoError(t, err)
			_, err = ReadAll(src)
			lines := strings.Split(err.Error(), "\n")
			require.Len(t, lines, len(c.want), "%v", err)
			for i, want := range c.want {
				require.Contains(t, lines[i], want)
			}
		})
	}
}

func TestOfVeryManyMistakesTheFirstAreTold(t *testing.T) {
	src := NewJSONL("f", strings.NewReader(strings.Repeat("{\n", 100)))
	_, err := ReadAll(src)
	var all *InputErrors
	require.ErrorAs(t, err, &all)
	require.Len(t, all.First, maxMistakes)
	require.Equal(t, 100-maxMistakes, all.More)
	require.ErrorContains(t, err, "f:20: column 2: a string is expected\nf: and 80 more")
}

func TestReadingEndsWithItsContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "h.jsonl")
	require.NoError(t, os.WriteFile(path, []byte(good), 0o600))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, format := range []Format{Auto, JSONL} {
		require.ErrorIs(t, ReadParts(ctx, path, format, func() Collector { return func(*Op) error { return nil } }), context.Canceled)
	}
}

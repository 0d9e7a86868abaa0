// SPDX-License-Identifier: Apache-2.0

package history

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// ednLines makes one event a line of texts such as "0 :invoke :write :value 1".
func ednLines(events ...string) string {
	var b strings.Builder
	for _, e := range events {
		f := strings.SplitN(e, " ", 4)
		b.WriteString("{:process " + f[0] + ", :type " + f[1] + ", :f " + f[2])
		if len(f) > 3 {
			b.WriteString(", " + f[3])
		}
		b.WriteString("}\n")
	}
	return b.String()
}

func jepsenLines(events ...string) string {
	var b strings.Builder
	for _, e := range events {
		b.WriteString("INFO  jepsen.util - " + strings.ReplaceAll(e, "  ", "\t") + "\n")
	}
	return b.String()
}

func read(input string) ([]Op, error) {
	src, err := newSource("f", strings.NewReader(input), Auto)
	if err != nil {
		return nil, err
	}
	return ReadAll(src)
}

// Events that contradict how their operation began, or each other, have no
// verdict: whichever of two answers was taken, the other one was given, too.
func TestContradictionsAreRefusedWithTheirLine(t *testing.T) {
	for name, c := range map[string]struct{ input, want string }{
		"another key in the value":      {ednLines("2 :invoke :read :value [1 nil]", "2 :ok :read :value [2 5]"), "f:2: the operation began on line 1 with key 1, and ends with key 2"},
		"another key":                   {ednLines(`0 :invoke :write :key "a", :value 1`, `0 :ok :write :key "b", :value 1`), `f:2: the operation began on line 1 with key "a", and ends with key "b"`},
		"another key after a failure":   {ednLines(`0 :invoke :write :key "a", :value 1`, `0 :fail :write :key "b", :value 1`), `ends with key "b"`},
		"another key of unknown end":    {ednLines(`0 :invoke :cas :value [1 [2 3]]`, `0 :info :cas :value [4 [2 3]]`), `ends with key 4`},
		"a key at the end only":         {ednLines(`0 :invoke :write :value 1`, `0 :ok :write :key 7, :value 1`), "ends with key 7"},
		"a key in the value at the end": {ednLines("2 :invoke :read :value nil", "2 :ok :read :value [7 5]"), "f:2: a collection is no value"},
		"no key in the value any more":  {ednLines("2 :invoke :read :value [7 nil]", "2 :ok :read :value 5"), "f:2: the operation began on line 1 with a :value of [key value]"},
		"keys in some values only":      {ednLines("0 :invoke :write :value 5", "1 :invoke :read :value [7 nil]"), "f:2: some operations have their key in the value"},
		"another value":                 {ednLines("0 :invoke :write :value 1", "0 :ok :write :value 2"), "f:2: the :write began on line 1 with the value 1, and ends with 2"},
		"another value, in vain":        {ednLines("0 :invoke :write :value 1", "0 :fail :write :value 2"), "and ends with 2"},
		"a write that wrote nil":        {ednLines("0 :invoke :write :value 1", "0 :ok :write :value nil"), "and ends with nil"},
		"another cas":                   {ednLines("0 :invoke :cas :value [1 2]", "0 :ok :cas :value [1 3]"), "f:2: the :cas began on line 1 with the value [1 2], and ends with [1 3]"},
		"another failed cas":            {ednLines("0 :invoke :cas :value [1 2]", "0 :fail :cas :value [4 2]"), "and ends with [4 2]"},
		"another name":                  {ednLines("0 :invoke :get :value nil", `0 :ok :read :value ""`), "f:2: process 0 ends a :read, but began a :get on line 1"},
		"a value twice":                 {ednLines("0 :invoke :write :value 1, :value 2"), "f:1: a map has the key :value twice"},
		"many keys, one twice":          {ednLines("0 :invoke :write :a 1, :b 1, :c 1, :d 1, :e 1, :g 1, :h 1, :i 1, :j 1, :value 1, :j 1"), "f:1: a map has the key :j twice"},
		"a process in quotes":           {ednLines(`"0" :invoke :write :value 1`), `f:1: :process "0" is neither a number nor a keyword`},
		"a process that is nil":         {ednLines(`nil :invoke :write :value 1`), `f:1: :process nil is neither`},
		"a keyword that writes":         {ednLines(`:a :invoke :write :value 1`), "f:1: the process :a has an operation (:write)"},
		"a read without its value":      {ednLines("2 :invoke :read", "2 :ok :read"), "f:2: a :read that is :ok needs a :value"},
		"a write without its value":     {ednLines("2 :invoke :write"), "f:1: a :write needs a :value"},
		"an append without its value":   {ednLines("2 :invoke :append :key 1"), "f:1: a :append needs a :value"},
		"a read with a value":           {ednLines(`2 :invoke :get :value "k"`), "f:1: a :get begins with :value nil"},
		"a delete with a value":         {ednLines(`2 :invoke :delete :value 4`), "f:1: a :delete begins with :value nil"},
		"numbers out of order":          {ednLines("0 :invoke :write :value 1, :index 2", "0 :ok :write :value 1, :index 1"), "f:2: the event has :index 1, but one before it has 2"},
		"octal":                         {ednLines("0 :invoke :write :value 010"), "f:1: the number 010 begins with 0"},
		"a value with a tag":            {ednLines("0 :invoke :write :value #x 1"), "#x 1 is no value"},
		"no tag":                        {ednLines(`0 :invoke :write :value #"1"`), "where # needs a tag"},
		"a symbolic value":              {ednLines("0 :invoke :write :value ##Inf"), "##Inf is no value"},
		"refuted by a word":             {ednLines("0 :invoke :cas :value [1 2]", `0 :fail :cas :refuted "false"`), "f:2: :refuted and :exact are true or false"},
		"a writer that is no name":      {ednLines("0 :invoke :write :value 1, :writer 5"), "f:1: :writer 5 is no string"},
		"Jepsen another value":          {jepsenLines("0  :invoke  :write  1", "0  :ok  :write  2"), "f:2: the :write began on line 1 with the value 1, and ends with 2"},
		"Jepsen another key":            {jepsenLines("0  :invoke  :read  [1 nil]", "0  :ok  :read  [2 5]"), "ends with key 2"},
		"Jepsen two values":             {jepsenLines("0  :invoke  :read  nil", "0  :ok  :read  1 2"), `f:2: "2" follows the value 1`},
		"JSONL text for a time":         {strings.Replace(good, `"call":1`, `"call":"x"`, 1), `field "call": "x" is not an integer`},
		"JSONL object for a number":     {strings.Replace(good, `"call":1`, `"id":{"a":[1]},"call":1`, 1), `field "id": {"a":[1]} is not an unsigned integer`},
		"JSONL text for a truth value":  {strings.Replace(good, `"call":1`, `"refuted":"yes","call":1`, 1), `"yes" is neither true nor false`},
		"JSONL long text for a time":    {strings.Replace(good, `"call":1`, `"call":"`+strings.Repeat("x", 100)+`"`, 1), `"` + strings.Repeat("x", 39) + `… is not an integer`},
		"JSONL octal call":              {strings.Replace(good, `"call":1`, `"call":007`, 1), `007 is not an integer`},
		"JSONL octal id":                {strings.Replace(good, `"call":1`, `"id":01,"call":1`, 1), `01 is not an unsigned integer`},
		"JSONL octal value":             {strings.Replace(good, `"v"`, `01`, 1), `01 is not an integer`},
		"JSONL negative octal":          {strings.Replace(good, `"call":1`, `"call":-01`, 1), `-01 is not an integer`},
		"JSONL refuted and done":        {strings.Replace(good, `"put"`, `"cas","expected":1,"refuted":true`, 1), `a cas with outcome ok can't be "refuted"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := read(c.input)
			require.ErrorContains(t, err, c.want)
			var in *InputError
			require.ErrorAs(t, err, &in)
		})
	}
}

// What an event leaves out, or fills with a placeholder, contradicts nothing.
func TestPlaceholdersAreNoContradiction(t *testing.T) {
	for name, input := range map[string]string{
		"info":              ednLines("0 :invoke :write :value 1", "0 :info :write :value :timed-out"),
		"info, other value": ednLines("0 :invoke :write :value 1", "0 :info :write :value nil"),
		"info, keyed":       ednLines("0 :invoke :write :value [3 1]", "0 :info :write :value :timed-out"),
		"fail":              ednLines("0 :invoke :write :value 1", "0 :fail :write :value :timed-out"),
		"fail, keyed":       ednLines("0 :invoke :cas :value [3 [1 2]]", "0 :fail :cas :value :timed-out"),
		"no value at ok":    ednLines("0 :invoke :write :value 1", "0 :ok :write"),
		"no key at ok":      ednLines("0 :invoke :write :key 1, :value 1", "0 :ok :write :value 1"),
		"numbered":          ednLines("0 :invoke :write :index 4, :value 1", "0 :ok :write :value 1, :index 7"),
		"not numbered":      ednLines("0 :invoke :write :index -1, :value 1", "0 :ok :write :value 1, :index -1"),
		"nemesis":           ednLines(":nemesis :info :start", "0 :invoke :write :value 1", ":nemesis :info :stop :value [:a]", "0 :ok :write :value 1"),
	} {
		t.Run(name, func(t *testing.T) {
			ops, err := read(input)
			require.NoError(t, err)
			require.Len(t, ops, 1)
		})
	}
}

// Knossos and Jepsen take :fail for "did not happen". Only where no reason is
// told, or the reason is that the value differs, the value is known to differ.
func TestAFailedCasTellsOfTheValueOnlyIfItWasCompared(t *testing.T) {
	for end, refuted := range map[string]bool{
		":value [1 2]":                                 true,
		":value [1 2], :error nil":                     true,
		":value [1 2], :error :did-not-succeed":        true,
		`:value [1 2], :error "compare failed"`:        true,
		`:value [1 2], :error "connection refused"`:    false,
		`:value [1 2], :error ""`:                      false,
		":value [1 2], :error :timeout":                false,
		":value [1 2], :error [:no-leader 3]":          false,
		":value [1 2], :error :x, :refuted true":       true,
		":value [1 2], :refuted false":                 false,
		":value :timed-out":                            false,
		":value [1 2], :error {:code 14 :msg \"eof\"}": false,
	} {
		ops, err := read(ednLines("1 :invoke :cas :value [1 2]", "1 :fail :cas "+end))
		require.NoError(t, err, end)
		require.Equal(t, refuted, ops[0].Refuted, end)
	}
	for end, refuted := range map[string]bool{
		"[1 2]":                       true,
		"[1 2]  :did-not-succeed":     true,
		"[1 2]  connection refused":   false,
		"[1 2]  :timed-out":           false,
		":timed-out":                  false,
		"[1 2]  [:not-leader \"n1\"]": false,
	} {
		ops, err := read(jepsenLines("1  :invoke  :cas  [1 2]", "1  :fail  :cas  "+end))
		require.NoError(t, err, end)
		require.Equal(t, refuted, ops[0].Refuted, end)
	}
}

func TestProcessesOfAJepsenLogMayBeNegative(t *testing.T) {
	ops, err := read(jepsenLines("-3  :invoke  :write  1", "3  :invoke  :write  2", "-3  :ok  :write  1", "3  :ok  :write  2"))
	require.NoError(t, err)
	require.Equal(t, []int64{-3, 3}, []int64{ops[0].Client, ops[1].Client})
}

func TestDiscardedFormsAreSpace(t *testing.T) {
	ops, err := read("#_x [#_{:a 1 #_b} " + ednLines("0 :invoke :write #_:value :value #_#_2 3 1", "0 :ok :write :value 1") + "#_{:process 9}] #_[1]")
	require.NoError(t, err)
	require.Len(t, ops, 1)
	require.Equal(t, Int(1), ops[0].Value)
	_, err = read("[" + strings.Repeat("#_ ", 100_000))
	require.ErrorContains(t, err, "nested more than 32 deep")
}

func TestAByteOrderMarkIsSkipped(t *testing.T) {
	for format, input := range map[Format]string{
		JSONL: good, EDN: ednLines("0 :invoke :write :value 1"), Jepsen: jepsenLines("0  :invoke  :write  1"),
	} {
		for _, as := range []Format{Auto, format} {
			src, err := newSource("f", strings.NewReader(byteOrderMark+input), as)
			require.NoError(t, err)
			ops, err := ReadAll(src)
			require.NoError(t, err)
			require.Len(t, ops, 1)
		}
	}
	_, err := read("\xff\xfe{\x00")
	require.ErrorContains(t, err, "f:1: is UTF-16")
	_, err = read(byteOrderMark)
	require.ErrorContains(t, err, "f: is empty")
}

// However much blank space comes first, the history behind it is found, and
// its lines are counted.
func TestBlankLinesBeforeAHistory(t *testing.T) {
	const n = 3*detectBytes + 7
	for _, blank := range []string{strings.Repeat("\n", n), strings.Repeat("\r\n", n/2), strings.Repeat("  \n", n), strings.Repeat("\n"+strings.Repeat(" ", detectBytes+5), 3)} {
		lines := strings.Count(blank, "\n")
		for _, input := range []string{good, ednLines("0 :invoke :write :value 1"), jepsenLines("0  :invoke  :write  1")} {
			src, err := newSource("f", strings.NewReader(blank+input), Auto)
			require.NoError(t, err)
			_, err = src.Next()
			require.NoError(t, err)
			file, line := positionOf(src)
			require.Equal(t, "f", file)
			require.InDelta(t, lines+1, line, 1)
		}
		_, err := read(blank + "{\"op\"")
		var in *InputError
		require.ErrorAs(t, err, &in)
		require.Equal(t, lines+1, in.Line)
		_, err = read(blank + "hello")
		require.ErrorAs(t, err, &in)
		require.Equal(t, lines+1, in.Line)
	}
	_, err := read(strings.Repeat("\n", n))
	require.ErrorContains(t, err, "f: is empty")
}

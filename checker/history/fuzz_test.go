// SPDX-License-Identifier: Apache-2.0

package history

import (
	"bytes"
	"io"
	"testing"
)

// Whatever is read without an error is written in the same format and read
// back as the same.
func fuzzFormat(f *testing.F, format Format, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		src, err := newSource("f", bytes.NewReader(input), format)
		if err != nil {
			return
		}
		ops, err := ReadAll(src)
		if err != nil {
			return
		}
		tellAsEvents(t, ops)
		var first, second bytes.Buffer
		if err := Write(&first, ops, format); err != nil {
			return // what the format can't tell
		}
		src, err = newSource("f", bytes.NewReader(first.Bytes()), format)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ReadAll(src)
		if err != nil {
			t.Fatalf("reading what was written: %v\n%s", err, first.String())
		}
		if err := Write(&second, again, format); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Fatalf("written once:\n%swritten twice:\n%s", first.String(), second.String())
		}
	})
}

// tellAsEvents holds the writers of events against their readers, which refuse
// whatever contradicts itself.
func tellAsEvents(t *testing.T, ops []Op) {
	t.Helper()
	for _, format := range []Format{EDN, Jepsen} {
		var b bytes.Buffer
		if err := Write(&b, ops, format); err != nil {
			continue // what the format can't tell
		}
		src, err := newSource("f", &b, format)
		if err != nil {
			t.Fatal(err)
		}
		text := b.String()
		again, err := ReadAll(src)
		if err != nil {
			t.Fatalf("reading as %s what was written: %v\n%s", format, err, text)
		}
		if format == EDN && len(again) != len(ops) {
			t.Fatalf("%d operations became %d:\n%s", len(ops), len(again), text)
		}
	}
}

func FuzzJSONL(f *testing.F) {
	fuzzFormat(f, JSONL, good,
		`{"client":-3,"key":"é\u0001","op":"cas","value":12,"expected":null,"observed":"\ud83d\ude00","call":-5,"return":7,"outcome":"fail","refuted":true,"x":[1,{"y":null}],"writer":"w","observed_writer":"initial","host":"h","cluster":7}`,
		`{"op":"append","key":"","value":"","call":1,"outcome":"unknown","return":null}`)
}

func FuzzEDN(f *testing.F) {
	fuzzFormat(f, EDN,
		"[{:process 0, :type :invoke, :f :cas, :value [1 2]}\n{:process 0 :type :fail :f :cas :value [1 2]}]",
		"{:process 1, :type :invoke, :f :append, :key \"k\", :value \"a\\n\\u00e9\"} ; comment\n#_ x {:process 1, :type :info, :f :append, :value :timed-out}",
		"#jepsen.history.Op{:process :nemesis, :type :info, :f :kill}{:process 4, :type :invoke, :f :read, :value [3 nil]}{:process 4, :type :ok, :f :read, :value [3 true]}")
}

func FuzzJepsen(f *testing.F) {
	fuzzFormat(f, Jepsen,
		"INFO  jepsen.util - 0\t:invoke\t:cas\t[1 2]\nINFO  jepsen.util - 0\t:fail\t:cas\t[1 2]\n",
		"INFO  jepsen.util - 3   :invoke   :write   4\n\nINFO  jepsen.util - 3\t:info\t:write\t:timed-out\n")
}

// A run's files may end anywhere and hold anything: ReadRun never panics, and
// never reads an operation that does not validate.
func FuzzReadRun(f *testing.F) {
	f.Add([]byte(good), []byte(good))
	f.Add([]byte{0x28, 0xb5, 0x2f, 0xfd}, []byte(`{"op":`))
	f.Fuzz(func(t *testing.T, finished, pending []byte) {
		run := &Run{}
		err := run.readFinished(FileName, io.NopCloser(bytes.NewReader(finished)))
		if err != nil || run.readPending(PendingName, pending) != nil {
			return
		}
		for i := range run.Ops {
			if err := run.Ops[i].Validate(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

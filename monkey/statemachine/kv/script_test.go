// SPDX-License-Identifier: Apache-2.0

package kv

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// TestScripts tells what commands do, and pins the bytes of all encodings.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "../../../testdata/statemachine/kv", func(t *testing.T, path string) {
		store, index := New(), uint64(0)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			var out strings.Builder
			for _, line := range strings.Split(d.Input, "\n") {
				switch d.Cmd {
				case "apply":
					index++
					command := parseCommand(t, line)
					fmt.Fprintf(&out, "%d: %s\n", index, describe(store.Apply(index, command.Encode())))
				case "raw":
					index++
					fmt.Fprintf(&out, "%d: %s\n", index, describe(store.Apply(index, []byte(line))))
				case "encode":
					fmt.Fprintf(&out, "%q\n", parseCommand(t, line).Encode())
				case "get":
					answer, err := DecodeAnswer(store.Lookup(GetQuery(line)))
					fmt.Fprintf(&out, "%s: %s %v\n", line, describe(answer), err)
				case "image":
					of := store
					if d.HasArg("v2") { // the store is upgraded before
						of = NewOf(V2)
						of.Restore(store.Image())
					}
					var image bytes.Buffer
					n, err := of.Image().WriteTo(&image)
					fmt.Fprintf(&out, "%d bytes, %v\n%q\n", n, err, image.Bytes())
				default:
					t.Fatalf("unknown command %s", d.Cmd)
				}
			}
			return out.String()
		})
	})
}

// parseCommand reads 'op key [value] [expected=value] [by=writer]', where - is
// absent and ” is the empty value.
func parseCommand(t *testing.T, line string) Command {
	t.Helper()
	words := strings.Fields(line)
	c := Command{Key: words[1]}
	for op, name := range opNames {
		if name == words[0] {
			c.Op = op
		}
	}
	for _, word := range words[2:] {
		if writer, ok := strings.CutPrefix(word, "by="); ok {
			c.Writer = writer
		} else if expected, ok := strings.CutPrefix(word, "expected="); ok {
			c.Expected = parseMaybe(expected)
		} else {
			c.Value = parseMaybe(word)
		}
	}
	return c
}

func parseMaybe(word string) Maybe {
	switch word {
	case "-":
		return Maybe{}
	case "''":
		return Some("")
	}
	return Some(word)
}

func describe(a Answer) string {
	return fmt.Sprintf("%s, saw %s of %q at %d", a.Status, a.Observed.Value, a.Observed.Writer, a.Observed.Index)
}

// SPDX-License-Identifier: Apache-2.0

package kv

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func drawMaybe(t *rapid.T, label string) Maybe {
	if rapid.Bool().Draw(t, label+" present") {
		return Some(rapid.SampledFrom([]string{"", "a", "b", "ab"}).Draw(t, label))
	}
	return Maybe{}
}

func drawCommand(t *rapid.T, n int) Command {
	return Command{
		Op:       Op(rapid.IntRange(1, 4).Draw(t, "op")),
		Key:      rapid.SampledFrom([]string{"k1", "k2", "k3"}).Draw(t, "key"),
		Value:    drawMaybe(t, "value"),
		Expected: drawMaybe(t, "expected"),
		Writer:   fmt.Sprintf("w%d", n),
	}
}

func drawCommands(t *rapid.T) []Command {
	commands := make([]Command, rapid.IntRange(0, 60).Draw(t, "commands"))
	for n := range commands {
		commands[n] = drawCommand(t, n)
	}
	return commands
}

func applyAll(s *Store, commands []Command) {
	for _, c := range commands {
		s.Apply(s.Digest().Applied+1, c.Encode())
	}
}

// TestStoreAgreesWithMap compares a store with the obvious one.
func TestStoreAgreesWithMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		store, want := New(), map[string]string{}
		for i, c := range drawCommands(t) {
			answer := store.Apply(uint64(i+1), c.Encode())
			held, present := want[c.Key]
			status := OK
			switch {
			case (c.Op == Put || c.Op == Append) && !c.Value.Present:
				status = Invalid
			case c.Op == Put:
				want[c.Key] = c.Value.Text
			case c.Op == Append:
				want[c.Key] = held + c.Value.Text
			case c.Op == Delete:
				delete(want, c.Key)
			case c.Expected != Maybe{Present: present, Text: held}:
				status = Mismatch
			case c.Value.Present:
				want[c.Key] = c.Value.Text
			default:
				delete(want, c.Key)
			}
			if answer.Status != status {
				t.Fatalf("%v was answered %v, expected %v", c, answer, status)
			}
			for _, key := range []string{"k1", "k2", "k3"} {
				text, present := want[key]
				if got := store.Get(key).Value; got != (Maybe{present, text}) {
					t.Fatalf("after %v key %s holds %v, expected %q (%v)", c, key, got, text, present)
				}
			}
		}
	})
}

// TestAnswerNamesTheWriteItSaw checks that writers chain up: each answer names
// the last write of its key that took effect.
func TestAnswerNamesTheWriteItSaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		store, last := New(), map[string]string{}
		for i, c := range drawCommands(t) {
			answer := store.Apply(uint64(i+1), c.Encode())
			if answer.Status != Invalid && answer.Observed.Writer != last[c.Key] {
				t.Fatalf("%v saw the write %q, expected %q", c, answer.Observed.Writer, last[c.Key])
			}
			if answer.Status == OK {
				last[c.Key] = c.Writer
			}
			got, err := DecodeAnswer(store.Lookup(GetQuery(c.Key)))
			if applied := uint64(i + 1); err != nil || answer.Applied != applied || got.Applied != applied {
				t.Fatalf("%v at index %d was answered at %d, and a get after it at %d (%v)", c, applied, answer.Applied, got.Applied, err)
			}
		}
	})
}

// TestDigestIsThatOfTheKeys checks the sum that is kept against one made anew,
// through a snapshot.
func TestDigestIsThatOfTheKeys(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		store := New()
		applyAll(store, drawCommands(t))
		var sum uint64
		for _, key := range store.Image().Keys() {
			sum += hashState(key, store.Get(key))
		}
		if sum != store.Digest().Contents {
			t.Fatalf("the digest is %x, the keys make %x", store.Digest().Contents, sum)
		}
	})
}

func TestSnapshotBringsBackTheSameReplica(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before, after := drawCommands(t), drawCommands(t)
		store := New()
		applyAll(store, before)
		var first, second bytes.Buffer
		image := store.Image()
		if _, err := image.WriteTo(&first); err != nil {
			t.Fatal(err)
		}
		applyAll(store, after)
		if _, err := image.WriteTo(&second); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Fatalf("the image changed with its store (%v)", err)
		}
		read, err := ReadImage(&first)
		if err != nil {
			t.Fatal(err)
		}
		restored := New()
		applyAll(restored, after[:len(after)/2]) // is forgotten
		restored.Restore(read)
		applyAll(restored, after)
		if restored.Digest() != store.Digest() {
			t.Fatalf("the restored replica has %+v, the other one %+v", restored.Digest(), store.Digest())
		}
	})
}

// TestChainRemembersTransientDifference: contents that differed once and are
// equal again still show in the chain.
func TestChainRemembersTransientDifference(t *testing.T) {
	put := func(writer string) []byte {
		return Command{Op: Put, Key: "k", Value: Some(writer), Writer: writer}.Encode()
	}
	good, bad := New(), New()
	good.Apply(1, put("a"))
	bad.Apply(1, put("b"))
	good.Apply(2, put("c"))
	bad.Apply(2, put("c"))
	require.Equal(t, good.Digest().Contents, bad.Digest().Contents)
	require.NotEqual(t, good.Digest().Chain, bad.Digest().Chain)
}

func TestLimits(t *testing.T) {
	long := func(n int) string { return strings.Repeat("x", n) }
	store := New()
	apply := func(c Command) Status { return store.Apply(store.Digest().Applied+1, c.Encode()).Status }
	require.Equal(t, OK, apply(Command{Op: Put, Key: long(MaxKey), Value: Some(long(MaxValue)), Writer: long(MaxWriter)}))
	require.Equal(t, OK, apply(Command{Op: Append, Key: long(MaxKey), Value: Some("")}))
	require.Equal(t, TooLarge, apply(Command{Op: Append, Key: long(MaxKey), Value: Some("x")}))
	require.Equal(t, TooLarge, apply(Command{Op: Put, Key: long(MaxKey + 1), Value: Some("")}))
	require.Equal(t, TooLarge, apply(Command{Op: Put, Key: "k", Value: Some(long(MaxValue + 1))}))
	require.Equal(t, TooLarge, apply(Command{Op: Delete, Key: "k", Writer: long(MaxWriter + 1)}))
	require.Equal(t, []string{long(MaxKey)}, store.Image().Keys())

	var image bytes.Buffer
	_, err := store.Image().WriteTo(&image)
	require.NoError(t, err)
	_, err = ReadImage(&image)
	require.NoError(t, err, "what a store takes, a snapshot brings back")
}

func TestWithoutLeavesOneKeyOut(t *testing.T) {
	store := New()
	store.Apply(1, Command{Op: Put, Key: "a", Value: Some("1")}.Encode())
	store.Apply(2, Command{Op: Put, Key: "b", Value: Some("2")}.Encode())
	var image bytes.Buffer
	_, err := store.Image().Without("b").WriteTo(&image)
	require.NoError(t, err)
	read, err := ReadImage(&image)
	require.NoError(t, err, "it is a snapshot like any other")
	require.Equal(t, []string{"a"}, read.Keys())
	require.Equal(t, store.Digest().Chain, read.Digest().Chain)
}

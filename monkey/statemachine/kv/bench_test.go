// SPDX-License-Identifier: Apache-2.0

package kv

import (
	"fmt"
	"io"
	"testing"
)

func BenchmarkApply(b *testing.B) {
	commands := make([][]byte, 1000)
	for i := range commands {
		commands[i] = Command{Op: Put, Key: fmt.Sprint("k", i%100), Value: Some(fmt.Sprint("c3-", i)), Writer: fmt.Sprint("c3-", i)}.Encode()
	}
	store := New()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		store.Apply(uint64(i+1), commands[i%len(commands)])
	}
}

// BenchmarkDigest shows that a digest costs the same whatever the state.
func BenchmarkDigest(b *testing.B) {
	store := filled(100_000)
	b.ReportAllocs()
	for b.Loop() {
		store.Lookup(DigestQuery())
	}
}

func BenchmarkSnapshot(b *testing.B) {
	store := filled(10_000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := store.Image().WriteTo(io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}

func filled(keys int) *Store {
	store := New()
	for i := range keys {
		store.Apply(uint64(i+1), Command{Op: Put, Key: fmt.Sprint("k", i), Value: Some("value"), Writer: "w"}.Encode())
	}
	return store
}

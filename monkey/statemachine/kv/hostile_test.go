// SPDX-License-Identifier: Apache-2.0

package kv

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

// sample returns a store with some of everything, and its snapshot.
func sample(t testing.TB) (*Store, []byte) {
	store := New()
	for i, c := range []Command{
		{Op: Put, Key: "a", Value: Some("1"), Writer: "w1"},
		{Op: CAS, Key: "a", Expected: Some("2"), Value: Some("3"), Writer: "w2"},
		{Op: Append, Key: "b", Value: Some("xyz"), Writer: "w3"},
		{Op: Delete, Key: "a", Writer: "w4"},
	} {
		store.Apply(uint64(10*i+10), c.Encode())
	}
	var image bytes.Buffer
	if _, err := store.Image().WriteTo(&image); err != nil {
		t.Fatal(err)
	}
	return store, image.Bytes()
}

func TestDamagedSnapshotIsAnError(t *testing.T) {
	_, whole := sample(t)
	for cut := range whole {
		_, err := ReadImage(bytes.NewReader(whole[:cut]))
		require.Error(t, err, "cut off after %d bytes", cut)
		require.NotErrorIs(t, err, io.EOF, "a snapshot that is cut off is not an end of file")
	}
	for at := range whole {
		for bit := range 8 {
			damaged := bytes.Clone(whole)
			damaged[at] ^= 1 << bit
			_, err := ReadImage(bytes.NewReader(damaged))
			require.Error(t, err, "bit %d of byte %d is flipped", bit, at)
		}
	}
}

func TestSnapshotReportsItsWriter(t *testing.T) {
	store, whole := sample(t)
	full := errors.New("the disk is full")
	for room := range whole {
		_, err := store.Image().WriteTo(&limited{room: room, err: full})
		require.ErrorIs(t, err, full)
	}
}

type limited struct {
	room int
	err  error
}

func (l *limited) Write(data []byte) (int, error) {
	if l.room -= len(data); l.room < 0 {
		return 0, l.err
	}
	return len(data), nil
}

func FuzzCommand(f *testing.F) {
	f.Add(Command{Op: CAS, Key: "k", Value: Some("new"), Expected: Some("old"), Writer: "w"}.Encode())
	f.Add(Command{Op: Delete, Key: "k"}.Encode())
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		store, _ := sample(t)
		before := store.Digest()
		answer := store.Apply(100, data)
		command, err := DecodeCommand(data)
		if (err != nil) != (answer.Status == Invalid) {
			t.Fatalf("decoding says %v, applying %v", err, answer.Status)
		}
		if err == nil && !bytes.Equal(command.Encode(), data) {
			t.Fatalf("%q is another encoding of %+v", data, command)
		}
		if answer.Status != OK && store.Digest().Contents != before.Contents {
			t.Fatalf("a command answered %v changed the contents", answer.Status)
		}
		if store.Digest().Updates != before.Updates+1 || store.Digest().Applied != 100 {
			t.Fatal("a command was not counted")
		}
	})
}

func FuzzLookup(f *testing.F) {
	f.Add(GetQuery("a"))
	f.Add(DigestQuery())
	f.Fuzz(func(t *testing.T, query []byte) {
		store, _ := sample(t)
		before := store.Digest()
		if len(store.Lookup(query)) == 0 {
			t.Fatal("a query was not answered")
		}
		if key, isGet := KeyOfGet(query); isGet && !bytes.Equal(GetQuery(key), query) {
			t.Fatalf("%q is another encoding of a get of %q", query, key)
		}
		if store.Digest() != before {
			t.Fatal("a query changed the state")
		}
	})
}

func FuzzAnswers(f *testing.F) {
	store, _ := sample(f)
	f.Add(store.Lookup(GetQuery("a")))
	f.Add(store.Lookup(DigestQuery()))
	f.Fuzz(func(t *testing.T, data []byte) {
		if a, err := DecodeAnswer(data); err == nil && !bytes.Equal(a.Encode(), data) {
			t.Fatalf("%q is another encoding of %+v", data, a)
		}
		if d, err := DecodeDigest(data); err == nil && !bytes.Equal(d.encode(), data) {
			t.Fatalf("%q is another encoding of %+v", data, d)
		}
	})
}

func FuzzImage(f *testing.F) {
	_, whole := sample(f)
	f.Add(whole)
	f.Add(whole[:20])
	second := bytes.Clone(whole)
	second[len(imageMagic)] = byte(V2)
	f.Add(second)
	f.Fuzz(func(t *testing.T, data []byte) {
		// Behind a right checksum, anything but an error or an image would do harm.
		_, _ = ReadImage(bytes.NewReader(binary.BigEndian.AppendUint32(bytes.Clone(data), crc32.Checksum(data, castagnoli))))
		image, err := ReadImage(bytes.NewReader(data))
		if err != nil {
			return
		}
		var again bytes.Buffer
		if _, err := image.WriteTo(&again); err != nil || !bytes.HasPrefix(data, again.Bytes()) {
			t.Fatalf("an image was read from %q and written as %q (%v)", data, again.Bytes(), err)
		}
	})
}

// SPDX-License-Identifier: Apache-2.0

package kv

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var versions = []Version{V1, V2}

// through takes a store's state through a snapshot into a store of another version.
func through(t testing.TB, from *Store, to Version) *Store {
	t.Helper()
	var snapshot bytes.Buffer
	_, err := from.Image().WriteTo(&snapshot)
	require.NoError(t, err)
	image, err := ReadImage(&snapshot)
	require.NoError(t, err)
	require.Equal(t, from.Version(), image.Version(), "an image says who wrote it")
	restored := NewOf(to)
	restored.Restore(image)
	require.Equal(t, to, restored.Version(), "an image changes no build")
	require.Equal(t, to, restored.Image().Version())
	return restored
}

// TestVersionsAgree takes one replica from version to version, and another one not:
// their answers, digests and keys are the same all the time.
func TestVersionsAgree(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		stays, moves := New(), New()
		for i, c := range drawCommands(rt) {
			if rapid.IntRange(0, 4).Draw(rt, "upgrade") == 0 {
				moves = through(t, moves, rapid.SampledFrom(versions).Draw(rt, "version"))
			}
			require.Equal(t, stays.Apply(uint64(i+1), c.Encode()), moves.Apply(uint64(i+1), c.Encode()))
			require.Equal(t, stays.Digest(), moves.Digest(), "after command %d", i+1)
		}
		require.Equal(t, stays.entries, through(t, moves, V1).entries)
	})
}

func TestVersionsWriteOtherFormats(t *testing.T) {
	store := New()
	for i, key := range []string{"account-1", "account-17", "account-2", "b"} {
		store.Apply(uint64(i+1), Command{Op: Put, Key: key, Value: Some("1")}.Encode())
	}
	var first, second bytes.Buffer
	_, err := store.Image().WriteTo(&first)
	require.NoError(t, err)
	_, err = through(t, store, V2).Image().WriteTo(&second)
	require.NoError(t, err)
	require.Less(t, second.Len(), first.Len(), "what keys share is written once")
}

func TestDamagedSnapshotOfVersion2IsAnError(t *testing.T) {
	store, _ := sample(t)
	store.Apply(50, Command{Op: Put, Key: "bc", Value: Some("1")}.Encode())
	var whole bytes.Buffer
	_, err := through(t, store, V2).Image().WriteTo(&whole)
	require.NoError(t, err)
	for cut := range whole.Len() {
		_, err := ReadImage(bytes.NewReader(whole.Bytes()[:cut]))
		require.Error(t, err, "cut off after %d bytes", cut)
	}
	for bit := range 8 * whole.Len() {
		damaged := bytes.Clone(whole.Bytes())
		damaged[bit/8] ^= 1 << (bit % 8)
		_, err := ReadImage(bytes.NewReader(damaged))
		require.Error(t, err, "bit %d is flipped", bit)
	}
}

func TestASnapshotOfAnUnknownVersionIsAnError(t *testing.T) {
	_, snapshot := sample(t)
	for _, version := range []byte{0, 3} {
		snapshot[len(imageMagic)] = version
		_, err := ReadImage(bytes.NewReader(snapshot))
		require.ErrorContains(t, err, "expected \"drumkv\" and version 1 to 2")
	}
}

func TestWithoutValueLosesOneValue(t *testing.T) {
	store := New()
	store.Apply(1, Command{Op: Put, Key: "a", Value: Some("1"), Writer: "w1"}.Encode())
	store.Apply(2, Command{Op: Put, Key: "b", Value: Some("2"), Writer: "w2"}.Encode())
	image := store.Image().WithoutValue("b")
	require.Equal(t, State{Writer: "w2", Index: 2}, image.Get("b"))
	require.Equal(t, store.Get("a"), image.Get("a"))
	require.Equal(t, store.Digest().Chain, image.Digest().Chain)
	lacking := New()
	lacking.Restore(image)
	through(t, lacking, V2) // it is a snapshot like any other
	require.Equal(t, Some("2"), store.Get("b").Value, "the store keeps it")
}

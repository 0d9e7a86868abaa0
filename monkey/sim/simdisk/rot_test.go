// SPDX-License-Identifier: Apache-2.0

package simdisk

import (
	"math/bits"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRotFlipsBitsOfSyncedFilesThatNobodyUses(t *testing.T) {
	d, rng := New(), rand.New(rand.NewPCG(1, 1))
	m := d.Mount()
	put(t, m, "/rotten", "abc", true, true)
	put(t, m, "/unsynced", "abc", false, true)
	put(t, m, "/other", "abc", true, true)
	in := func(name string) bool { return name != "/other" }
	require.Zero(t, d.Rot(1, rng, in), "a process uses it")
	d.Kill()
	require.Equal(t, 1, d.Rot(1, rng, in))
	for range 2 { // it lasts, through a loss of power, too
		m = d.Mount()
		flipped := 0
		for i, c := range []byte(get(t, m, "/rotten")) {
			flipped += bits.OnesCount8(c ^ "abc"[i])
		}
		require.Equal(t, 1, flipped)
		require.Equal(t, "abc", get(t, m, "/other"))
		d.PowerLoss(nil)
	}
	require.Zero(t, d.Rot(1, rng, func(string) bool { return false }))
}

// SPDX-License-Identifier: Apache-2.0

package ordmap

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestAgainstGoMap compares every version of a map with a Go map that took
// the same steps, long after later versions were made.
func TestAgainstGoMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var m Map[int, int]
		model := map[int]int{}
		type version struct {
			m     Map[int, int]
			model map[int]int
		}
		var versions []version
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			k := rapid.IntRange(0, 60).Draw(t, "key")
			if rapid.Bool().Draw(t, "delete") {
				m = m.Delete(k)
				delete(model, k)
			} else {
				v := rapid.Int().Draw(t, "value")
				m = m.Set(k, v)
				model[k] = v
			}
			checkBalance(t, m.root)
			versions = append(versions, version{m, maps.Clone(model)})
		}
		for _, v := range versions {
			checkEqual(t, v.m, v.model)
		}
	})
}

func checkEqual(t *rapid.T, m Map[int, int], model map[int]int) {
	require.Equal(t, len(model), m.Len())
	keys := slices.Sorted(maps.Keys(model))
	i := 0
	for k, v := range m.All() {
		require.Equal(t, keys[i], k)
		require.Equal(t, model[k], v)
		i++
	}
	require.Equal(t, len(keys), i)
	for k := -1; k < 62; k++ {
		v, ok := m.Get(k)
		want, wantOK := model[k]
		require.Equal(t, wantOK, ok)
		require.Equal(t, want, v)
	}
}

func checkBalance(t *rapid.T, n *node[int, int]) {
	if n == nil {
		return
	}
	require.Equal(t, n.left.len()+n.right.len()+1, n.size)
	require.False(t, tooHeavy(n.left, n.right), "left side too heavy at %d", n.key)
	require.False(t, tooHeavy(n.right, n.left), "right side too heavy at %d", n.key)
	checkBalance(t, n.left)
	checkBalance(t, n.right)
}

func TestAWalkMayStopEarly(t *testing.T) {
	var m Map[string, int]
	for _, k := range []string{"d", "b", "a", "c"} {
		m = m.Set(k, len(k))
	}
	var seen []string
	for k := range m.All() {
		if seen = append(seen, k); k == "b" {
			break
		}
	}
	require.Equal(t, []string{"a", "b"}, seen)
}

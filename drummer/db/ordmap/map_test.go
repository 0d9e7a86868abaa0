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
			if rapid.IntRange(0, 9).Draw(t, "many") == 0 {
				var entries []Entry[int, int]
				for _, k := range rapid.SliceOfNDistinct(rapid.IntRange(0, 60), 0, 60, rapid.ID).Draw(t, "keys") {
					entries = append(entries, Entry[int, int]{k, rapid.Int().Draw(t, "value")})
					model[k] = entries[len(entries)-1].Value
				}
				slices.SortFunc(entries, func(a, b Entry[int, int]) int { return a.Key - b.Key })
				m = m.SetAll(entries)
			} else if rapid.Bool().Draw(t, "delete") {
				m = m.Delete(k)
				delete(model, k)
			} else {
				v := rapid.Int().Draw(t, "value")
				m = m.Set(k, v)
				model[k] = v
			}
			checkShape(t, m.root, true)
			versions = append(versions, version{m, maps.Clone(model)})
		}
		for _, v := range versions {
			checkEqual(t, v.m, v.model)
		}
		older, newer := rapid.SampledFrom(versions).Draw(t, "older"), rapid.SampledFrom(versions).Draw(t, "newer")
		require.Equal(t, differing(older.model, newer.model), slices.Collect(Changed(older.m, newer.m)))
	})
}

// differing are the keys that two maps do not both have with the same value.
func differing(a, b map[int]int) []int {
	keys := map[int]bool{}
	for _, pair := range [][2]map[int]int{{a, b}, {b, a}} {
		for k, v := range pair[0] {
			if other, ok := pair[1][k]; !ok || other != v {
				keys[k] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(keys))
}

// What two versions share is passed over: a million keys are not looked at for a few
// that differ.
func TestChangedPassesOverWhatIsShared(t *testing.T) {
	var m Map[int, int]
	for i := range 100_000 {
		m = m.Set(i*2, i)
	}
	changed := m.Set(7, 1).Set(50_000, -1).Delete(190_000).Set(1_000_000, 1)
	looked := 0
	parts := testing.AllocsPerRun(1, func() {
		looked = 0
		for range Changed(m, changed) {
			looked++
		}
	})
	require.Equal(t, 4, looked)
	require.Less(t, parts, 100.0, "allocations")
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
	for i, k := range keys {
		key, value := m.Nth(i)
		require.Equal(t, k, key)
		require.Equal(t, model[k], value)
	}
	from := rapid.IntRange(-1, 61).Draw(t, "from")
	var after []int
	for k := range m.After(from) {
		after = append(after, k)
	}
	require.ElementsMatch(t, slices.DeleteFunc(slices.Clone(keys), func(k int) bool { return k <= from }), after)
	require.True(t, slices.IsSorted(after))
	for k := -1; k < 62; k++ {
		v, ok := m.Get(k)
		want, wantOK := model[k]
		require.Equal(t, wantOK, ok)
		require.Equal(t, want, v)
	}
}

// checkShape checks the invariants of a node, and returns its depth.
func checkShape(t *rapid.T, n *node[int, int], isRoot bool) int {
	if n == nil {
		return 0
	}
	require.LessOrEqual(t, len(n.keys), width)
	require.True(t, slices.IsSorted(n.keys))
	if isRoot {
		require.NotEqual(t, 1, len(n.children), "the root has one child")
		require.NotEmpty(t, n.keys)
	} else {
		require.GreaterOrEqual(t, len(n.keys), narrow)
	}
	if n.children == nil {
		require.Len(t, n.values, len(n.keys))
		require.Equal(t, len(n.keys), n.size)
		return 1
	}
	require.Len(t, n.children, len(n.keys))
	size, depth := 0, checkShape(t, n.children[0], false)
	for i, child := range n.children {
		require.Equal(t, child.keys[0], n.keys[i])
		require.Equal(t, depth, checkShape(t, child, false), "leaves are not equally deep")
		size += child.size
	}
	require.Equal(t, size, n.size)
	return depth + 1
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

// Deep trees keep their shape and their keys, whatever is set and deleted at once.
func TestDeepTreesAgainstGoMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys := make([]int, rapid.IntRange(0, 2*width*width).Draw(t, "size"))
		model := map[int]int{}
		for i := range keys {
			keys[i] = 2 * i
			model[2*i] = 2 * i
		}
		m := FromSorted(keys, func(k int) int { return k })
		checkShape(t, m.root, true)
		for range rapid.IntRange(1, 3).Draw(t, "steps") {
			before, was := m, maps.Clone(model)
			from := rapid.IntRange(-10, 2*len(keys)+10).Draw(t, "from")
			count, stride := rapid.IntRange(1, width*width).Draw(t, "count"), rapid.IntRange(1, 7).Draw(t, "stride")
			deletes := rapid.Bool().Draw(t, "delete")
			var entries []Entry[int, int]
			for i := range count {
				k := from + i*stride
				if deletes {
					m = m.Delete(k)
					delete(model, k)
				} else {
					entries = append(entries, Entry[int, int]{k, -k})
					model[k] = -k
				}
			}
			m = m.SetAll(entries)
			checkShape(t, m.root, true)
			require.Equal(t, model, maps.Collect(m.All()))
			require.Equal(t, was, maps.Collect(before.All()))
			require.Equal(t, differing(was, model), slices.Collect(Changed(before, m)))
			for i, k := range slices.Sorted(maps.Keys(model)) {
				if i%13 == 0 {
					key, value := m.Nth(i)
					require.Equal(t, [2]int{k, model[k]}, [2]int{key, value})
				}
			}
		}
	})
}

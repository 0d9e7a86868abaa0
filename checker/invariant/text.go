// SPDX-License-Identifier: Apache-2.0

package invariant

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// list joins the first of some sentences, and says how many more there are.
func list(all []string) string {
	if len(all) <= maxListed {
		return strings.Join(all, "; ")
	}
	return fmt.Sprintf("%s; and %d more", strings.Join(all[:maxListed], "; "), len(all)-maxListed)
}

// seconds writes a span of nanoseconds, to the millisecond.
func seconds(ns int64) string {
	return strconv.FormatFloat(math.Round(float64(ns)/1e6)/1e3, 'f', -1, 64) + " s"
}

// sortedKeys returns the keys of a map in order.
func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	return slices.Sorted(maps.Keys(m))
}

// inner returns the map at k of a map of maps, and makes it if need be.
func inner[K1, K2 comparable, V any](m map[K1]map[K2]V, k K1) map[K2]V {
	if m[k] == nil {
		m[k] = make(map[K2]V)
	}
	return m[k]
}

// SPDX-License-Identifier: Apache-2.0

package parallel

import (
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEachNumberIsWorkedOnOnce(t *testing.T) {
	for _, n := range []int{0, 1, 2, 1000} {
		counts := make([]atomic.Int64, n)
		Each(n, n, func() func(int) { return func(i int) { counts[i].Add(1) } })
		for i := range counts {
			require.EqualValues(t, 1, counts[i].Load())
		}
	}
}

func TestAPanicIsTheCallers(t *testing.T) {
	var done atomic.Int64
	func() {
		defer func() { require.Contains(t, recover(), "broken\n") }()
		Do(3, func(i int) {
			if i == 2 {
				panic("broken")
			}
			done.Add(1)
		})
	}()
	require.EqualValues(t, 2, done.Load(), "the others go on")
}

// SPDX-License-Identifier: Apache-2.0

package world

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever a fault can do is summed up and reported.
func TestEveryCountOfAnEffectIsInTheTable(t *testing.T) {
	var e, twice Effect
	fields := reflect.ValueOf(&e).Elem()
	for i := range fields.NumField() {
		fields.Field(i).SetInt(int64(i + 1))
		reflect.ValueOf(&twice).Elem().Field(i).SetInt(int64(2 * (i + 1)))
	}
	require.Equal(t, twice, e.Add(e))
	require.Equal(t, Effect{}, e.Sub(e))
	reported := map[string]int64{}
	e.Each(func(n int64, what string) { reported[what] = n })
	require.Len(t, reported, fields.NumField())
	for name, what := range map[string]string{"ProcessesEnded": "process ended", "BytesLost": "bytes lost"} {
		require.Equal(t, fields.FieldByName(name).Int(), reported[what])
	}
	Effect{}.Each(func(int64, string) { t.Error("nothing happened") })
}

// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The rows check their own verdicts; this runs them on small histories.
func TestTheTableIsPrintedWithRightVerdicts(t *testing.T) {
	var b bytes.Buffer
	sum, err := Run(t.Context(), &b, Options{Limit: 200 * time.Millisecond, Histories: Histories("."), Quick: true})
	require.NoError(t, err)
	for _, row := range []string{"history.jsonl: with the verdict", "times as fast as porcupine", "online", "etcd"} {
		require.Contains(t, b.String(), row)
	}
	require.Contains(t, strings.Join(sum.Unmeasured, "\n"), "peak memory", "there is no command")
}

func TestFiguresAreComparedWithTheirGoals(t *testing.T) {
	var b bytes.Buffer
	tab := &table{w: &b}
	tab.row("fast", 12, false, "", goal{least: 10}, "")
	tab.row("slow", 9, false, "", goal{least: 10}, "")
	tab.row("small", 1.5, false, " MB", goal{most: 2}, "")
	tab.row("big", 3, false, " MB", goal{most: 2}, "")
	tab.row("any", 3, false, "", goal{}, "")
	tab.missing("gone", "it is not there")
	require.Equal(t, 2, tab.sum.Met)
	require.Equal(t, []string{"slow: 9, goal >= 10", "big: 3 MB, goal <= 2 MB"}, tab.sum.Missed)
	require.Equal(t, []string{"gone: it is not there"}, tab.sum.Unmeasured)
	require.False(t, tab.sum.OK())
	require.Equal(t, 2, strings.Count(b.String(), "NOT MET"))
}

func TestNumbersAreShort(t *testing.T) {
	for v, want := range map[float64]string{0.8312: "0.831", 3.14159: "3.14", 42.44: "42.4", 117.8: "118", 3_700_000: "3,700,000", 2: "2"} {
		require.Equal(t, want, sig(v))
	}
}

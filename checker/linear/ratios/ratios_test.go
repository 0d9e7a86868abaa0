// SPDX-License-Identifier: Apache-2.0

package ratios

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The table's rows check their own verdicts; this runs them once, on a short
// limit for porcupine.
func TestTheTableIsPrintedWithRightVerdicts(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	var b bytes.Buffer
	require.NoError(t, Run(t.Context(), &b, Options{Limit: 100 * time.Millisecond, Shared: Shared(".")}))
	require.Contains(t, b.String(), "online")
}

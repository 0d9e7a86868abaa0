// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The table's rows check their own verdicts; this runs them on small
// histories.
func TestTheTableIsPrintedWithRightVerdicts(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, Run(t.Context(), &b, Options{Limit: 200 * time.Millisecond, Shared: Shared("."), Quick: true}))
	require.Contains(t, b.String(), "online")
}

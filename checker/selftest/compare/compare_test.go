// SPDX-License-Identifier: Apache-2.0

package compare

import (
	"flag"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	seedFlag  = flag.Uint64("compare.seed", 1, "seed of the comparison with porcupine")
	countFlag = flag.Int("compare.histories", 60_000, "number of histories to compare")
)

func TestEnginesAgreeWithPorcupine(t *testing.T) {
	if testing.Short() {
		*countFlag = min(*countFlag, 5000)
	}
	r, err := Run(t.Context(), *seedFlag, *countFlag, nil)
	require.NoError(t, err)
	require.Greater(t, r.Violations, *countFlag/10, "too few violations to prove anything: %+v", r)
	require.Greater(t, r.OK, *countFlag/10, "too few legal histories to prove anything: %+v", r)
	t.Logf("%+v", r)
}

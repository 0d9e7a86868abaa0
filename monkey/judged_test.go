// SPDX-License-Identifier: Apache-2.0

package monkey

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/judge"
)

func TestAPassSaysWhatWasJudged(t *testing.T) {
	var r judge.Result
	require.Equal(t, "no operation judged, as there is neither a model nor an invariant", judged(&r))
	r.Checks = []judge.Check{{Name: "leaders", Detail: "one each"}, {Name: "invariants", Detail: "they hold for 5 answers and 3 replicas"}}
	require.Equal(t, "invariants: they hold for 5 answers and 3 replicas", judged(&r))
	r.Ops.Checked = 7
	require.Equal(t, "7 operations judged; invariants: they hold for 5 answers and 3 replicas", judged(&r))
}

// SPDX-License-Identifier: Apache-2.0

package nodehostapi

import (
	"errors"
	"testing"

	"github.com/lni/dragonboat/v3"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// The zero RequestResult is Dragonboat's timeout.
func TestTimeoutResultIsUnknown(t *testing.T) {
	_, failed := outcome(dragonboat.RequestResult{})
	require.ErrorIs(t, failed.err, dragonboat.ErrTimeout)
	require.False(t, failed.noEffect)
}

func TestEveryErrorHasAStatus(t *testing.T) {
	seen := map[string]bool{}
	for _, row := range codeOf {
		st := status.Convert(failure{row.err, false}.status())
		require.Equal(t, row.grpc, st.Code())
		require.NotEqual(t, codes.OK, st.Code())
		require.Len(t, st.Details(), 1)
		require.False(t, seen[row.err.Error()], "%v is listed twice", row.err)
		seen[row.err.Error()] = true
	}
	require.Equal(t, codes.Internal, status.Code(failure{errors.New("of a state machine"), true}.status()))
}

// SPDX-License-Identifier: Apache-2.0

package peers

import (
	"testing"

	"github.com/lni/dragonboat/v3"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// An address that Raft can't use is the caller's mistake, not a server that does
// not answer: nobody tries again.
func TestABadAddressIsRefused(t *testing.T) {
	err := changeError(dragonboat.ErrInvalidAddress)
	require.Equal(t, codes.InvalidArgument, status.Code(err), "%v", err)
	require.ErrorContains(t, err, "HOST:PORT")
}

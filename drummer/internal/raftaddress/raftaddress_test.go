// SPDX-License-Identifier: Apache-2.0

package raftaddress

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCheck(t *testing.T) {
	require.NoError(t, Check("host-1.example:27101"))
	require.ErrorContains(t, Check("Host-1.example:27101"), `must be written "host-1.example:27101"`)
	require.Error(t, Check(" host-1.example:27101"))
}

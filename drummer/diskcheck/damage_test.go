// SPDX-License-Identifier: Apache-2.0

package diskcheck

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDamageIsToldInOneLine(t *testing.T) {
	err := damaged("000006.sst", -1, "%v", errors.Join(errors.New("a block"), errors.New("its filter")))
	require.ErrorIs(t, err, ErrDamaged)
	require.EqualError(t, err, "the disk is damaged: 000006.sst: a block; its filter")
}

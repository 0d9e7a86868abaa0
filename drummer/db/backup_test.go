// SPDX-License-Identifier: Apache-2.0

package db

import (
	"testing"

	"github.com/stretchr/testify/require"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// A backup is not taken for whole when any bit of it was flipped.
func TestDamagedBackupsAreRefused(t *testing.T) {
	state := NewState()
	for i, event := range []string{"one", "two"} {
		state.Events = append(state.Events, &pb.Event{Sequence: uint64(i + 1), Text: event})
	}
	state.NextEventSequence = 3
	data, err := EncodeBackup(state)
	require.NoError(t, err)
	again, err := DecodeBackup(data)
	require.NoError(t, err)
	require.Equal(t, DigestOf(state), DigestOf(again))
	harmless := 0
	for bit := range 8 * len(data) {
		damaged := append([]byte(nil), data...)
		damaged[bit/8] ^= 1 << (bit % 8)
		if again, err := DecodeBackup(damaged); err == nil {
			require.Equal(t, DigestOf(state), DigestOf(again), "bit %d", bit)
			harmless++
		}
	}
	require.Less(t, harmless, len(data), "most flipped bits are found")
}

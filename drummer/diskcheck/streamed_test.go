// SPDX-License-Identifier: Apache-2.0

package diskcheck

import (
	"encoding/binary"
	"hash/crc32"
	"testing"

	"github.com/lni/dragonboat/v3/raftpb"
	"github.com/stretchr/testify/require"
)

// Dragonboat writes the header of a snapshot that it streams in another form than
// that of one that it saves: its checksum follows the content.
func TestTheHeaderOfAStreamedSnapshot(t *testing.T) {
	header := raftpb.SnapshotHeader{UnreliableTime: 17, PayloadChecksum: make([]byte, 4), Version: snapshotVersion}
	content, err := header.Marshal()
	require.NoError(t, err)
	head := binary.LittleEndian.AppendUint64(nil, uint64(len(content)))
	head = binary.BigEndian.AppendUint32(append(head, content...), crc32.ChecksumIEEE(content))
	used := len(head)
	head = append(head, make([]byte, snapshotHeader-used)...)

	_, streamed, ok := decodeSnapshotHeader(head)
	require.True(t, ok)
	require.True(t, streamed)
	for bit := range 8 * len(head) {
		head[bit/8] ^= 1 << (bit % 8)
		_, _, ok := decodeSnapshotHeader(head)
		require.False(t, ok, "bit %d is flipped", bit)
		head[bit/8] ^= 1 << (bit % 8)
	}
}

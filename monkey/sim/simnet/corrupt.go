// SPDX-License-Identifier: Apache-2.0

package simnet

import (
	"hash/crc32"
	"math/rand/v2"

	pb "github.com/lni/dragonboat/v3/raftpb"
)

// corrupt flips a bit of a batch under way and reports whether the receiver takes
// it for intact. It compares checksums as Dragonboat's TCP transport does, which
// closes the connection when they differ.
func (n *Network) corrupt(b pb.MessageBatch, rng *rand.Rand) (intact bool, err error) {
	data, err := b.Marshal()
	if err != nil || len(data) == 0 {
		return false, err
	}
	sent := crc32.ChecksumIEEE(data)
	data[rng.IntN(len(data))] ^= 1 << rng.IntN(8)
	return crc32.ChecksumIEEE(data) == sent, nil
}

// SPDX-License-Identifier: Apache-2.0

package exact

import (
	"encoding/binary"
	"math/bits"
)

// Odd constants with about as many ones as zeros.
const (
	hashA = 0x9e3779b97f4a7c15
	hashB = 0xbf58476d1ce4e5b9
)

// hash is the same in every process. It tells executions apart and withstands
// nobody who means to deceive it.
func hash(data []byte) uint64 {
	h := uint64(len(data)) * hashA
	for ; len(data) >= 8; data = data[8:] {
		h = step(h, binary.LittleEndian.Uint64(data))
	}
	if len(data) > 0 {
		var last [8]byte
		copy(last[:], data)
		h = step(h, binary.LittleEndian.Uint64(last[:]))
	}
	return h ^ h>>32
}

func step(h, word uint64) uint64 {
	return bits.RotateLeft64((h^word)*hashA, 29) * hashB
}

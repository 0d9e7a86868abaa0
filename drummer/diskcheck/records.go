// SPDX-License-Identifier: Apache-2.0

package diskcheck

import (
	"encoding/binary"
	"hash/crc32"
)

// Pebble's write-ahead logs and manifests are records in blocks of 32 KiB. A record
// is one chunk or more; a chunk does not cross blocks. Its header is a checksum of
// what follows the size, a size, a type and, in write-ahead logs, the number of the
// log, which tells it from what an earlier use has left in the file.
const (
	recordBlock      = 32 << 10
	plainHeader      = 7
	numberedHeader   = 11
	plainTypes       = 1 // 1 to 4: full, first, middle, last
	numberedTypes    = 5 // 5 to 8: the same, with the number of the log
	chunkTypes       = 4
	fullChunk        = 0 // above plainTypes or numberedTypes
	lastChunk        = 3
	checksumRotation = 15
	checksumDelta    = 0xa282ead8
)

// recordLog is a file of records, in memory.
type recordLog struct {
	data     []byte
	numbered bool
	number   uint32 // of the log, when numbered
}

// chunk returns the size of the valid chunk at an offset, header included, and what
// it is of its record; 0 when there is none.
func (l recordLog) chunk(at int) (size int, kind byte) {
	header, types := plainHeader, byte(plainTypes)
	if l.numbered {
		header, types = numberedHeader, numberedTypes
	}
	blockEnd := min(len(l.data), at-at%recordBlock+recordBlock)
	if at+header > blockEnd {
		return 0, 0
	}
	kind = l.data[at+6] - types
	if kind >= chunkTypes {
		return 0, 0
	}
	if l.numbered && binary.LittleEndian.Uint32(l.data[at+7:]) != l.number {
		return 0, 0
	}
	end := at + header + int(binary.LittleEndian.Uint16(l.data[at+4:]))
	if end > blockEnd || binary.LittleEndian.Uint32(l.data[at:]) != pebbleChecksum(l.data[at+6:end]) {
		return 0, 0
	}
	return end - at, kind
}

func pebbleChecksum(data []byte) uint32 {
	c := crc32.Checksum(data, castagnoli)
	return (c>>checksumRotation | c<<(32-checksumRotation)) + checksumDelta
}

// end returns where the log is read to: the offset of the first chunk that is not
// valid.
func (l recordLog) end() int {
	at := 0
	for at < len(l.data) {
		if room := recordBlock - at%recordBlock; room < l.header() {
			at += room // a block's rest, too small for a chunk
			continue
		}
		size, _ := l.chunk(at)
		if size == 0 {
			break
		}
		at += size
	}
	return min(at, len(l.data))
}

func (l recordLog) header() int {
	if l.numbered {
		return numberedHeader
	}
	return plainHeader
}

// behind counts the records that end in a valid chunk behind the end.
func (l recordLog) behind(end int) (records int) {
	for at := end + 1; at < len(l.data); {
		size, kind := l.chunk(at)
		if size == 0 {
			at++
			continue
		}
		if kind == fullChunk || kind == lastChunk {
			records++
		}
		at += size
	}
	return records
}

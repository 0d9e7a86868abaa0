// SPDX-License-Identifier: Apache-2.0

package diskcheck

import (
	"bytes"
	"crypto/md5"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"os"

	"github.com/lni/dragonboat/v3/config"
	"github.com/lni/dragonboat/v3/raftpb"
)

// A snapshot file of Dragonboat has a header, blocks of data, each with its
// checksum behind it, and a tail. The header has a checksum of itself and one of
// the blocks' checksums.
const (
	snapshotHeader     = 1024
	snapshotBlock      = 2 << 20
	snapshotBlockSum   = 4
	snapshotTail       = 16
	snapshotVersion    = 2
	flagFileHash       = 8 // bytes in front of a flag file's content, of its MD5
	snapshotLengthSize = 8 // in front of the header's content
)

// checkSnapshot compares the checksums of a snapshot file, which a replica would
// panic on when it starts.
func checkSnapshot(fs config.IFS, path string) error {
	file, err := fs.Open(path)
	if err != nil {
		return damaged(path, -1, "it can't be opened: %v", err)
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return damaged(path, -1, "%v", err)
	}
	head := make([]byte, snapshotHeader)
	if _, err := io.ReadFull(file, head); err != nil {
		return damaged(path, 0, "its header can't be read: %v", err)
	}
	header, streamed, ok := decodeSnapshotHeader(head)
	if !ok {
		return damaged(path, 0, "the checksum of its header does not match")
	}
	if header.Version != snapshotVersion {
		return nil // of an older Dragonboat, which reads it in its own way
	}
	sums := crc32.NewIEEE()
	length := info.Size() - snapshotHeader - snapshotTail
	blocks := io.LimitReader(file, length)
	block := make([]byte, min(snapshotBlock+snapshotBlockSum, max(length, 1)))
	for at := int64(snapshotHeader); ; {
		n, err := io.ReadFull(blocks, block)
		if err == io.EOF {
			break
		}
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			return damaged(path, at, "it can't be read: %v", err)
		}
		if n <= snapshotBlockSum {
			return damaged(path, at, "it ends within a block")
		}
		content, sum := block[:n-snapshotBlockSum], block[n-snapshotBlockSum:n]
		if binary.BigEndian.Uint32(sum) != crc32.ChecksumIEEE(content) {
			return damaged(path, at, "the checksum of the block there does not match")
		}
		_, _ = sums.Write(sum)
		at += int64(n)
	}
	if !streamed && !bytes.Equal(sums.Sum(nil), header.PayloadChecksum) {
		return damaged(path, -1, "the checksum of its blocks does not match")
	}
	return nil
}

// decodeSnapshotHeader reports whether the header's checksum matches: that of its
// other fields. A snapshot that was streamed, as those of state machines on disk are,
// has it behind the header's content, and no checksum of its blocks, until its node
// has recovered from it.
func decodeSnapshotHeader(head []byte) (header raftpb.SnapshotHeader, streamed, ok bool) {
	size := binary.LittleEndian.Uint64(head)
	if size > snapshotHeader-snapshotLengthSize-snapshotBlockSum || header.Unmarshal(head[snapshotLengthSize:snapshotLengthSize+size]) != nil {
		return header, false, false
	}
	content, rest := head[snapshotLengthSize:snapshotLengthSize+size], head[snapshotLengthSize+size:]
	sum := header.HeaderChecksum
	if streamed = len(sum) == 0; streamed {
		sum, rest = rest[:snapshotBlockSum], rest[snapshotBlockSum:]
	} else {
		header.HeaderChecksum = nil
		data, err := header.Marshal()
		if err != nil {
			return header, false, false
		}
		content = data
	}
	whole := len(bytes.Trim(rest, "\x00")) == 0
	return header, streamed, whole && bytes.Equal(sum, binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(content)))
}

// checkFlagFile compares the hash of a small file of Dragonboat, which would panic
// and hide why. A file that is not there is in order.
func checkFlagFile(fs config.IFS, path string) error {
	data, err := readFile(fs, path)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if len(data) >= flagFileHash {
		sum := md5.Sum(data[flagFileHash:])
		if bytes.Equal(data[:flagFileHash], sum[len(sum)-flagFileHash:]) {
			return nil
		}
	}
	return damaged(path, -1, "its checksum does not match")
}

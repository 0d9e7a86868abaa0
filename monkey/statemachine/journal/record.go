// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"bufio"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
)

// A record is the length of its body and the body's CRC-32C, four bytes each,
// and the body: the update's index, eight bytes, and the update.
const (
	headBytes  = 8
	indexBytes = 8
	// maxBodyBytes is far beyond Dragonboat's limit of a proposal; a greater
	// length is a torn record.
	maxBodyBytes = 256 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func appendRecord(out []byte, index uint64, update []byte) []byte {
	start := len(out)
	out = append(out, make([]byte, headBytes)...)
	out = binary.BigEndian.AppendUint64(out, index)
	out = append(out, update...)
	body := out[start+headBytes:]
	binary.BigEndian.PutUint32(out[start:], uint32(len(body)))
	binary.BigEndian.PutUint32(out[start+4:], crc32.Checksum(body, castagnoli))
	return out
}

// recordReader reads records up to the first one that is torn.
type recordReader struct {
	in    *bufio.Reader
	good  int64 // bytes of whole records
	last  uint64
	atEnd bool  // there was nothing behind the last whole record
	err   error // the file could not be read
}

// next returns the next whole record. Its update is valid until the call after.
func (r *recordReader) next() (index uint64, update []byte, ok bool) {
	var head [headBytes]byte
	if n, err := io.ReadFull(r.in, head[:]); err != nil {
		r.atEnd = n == 0 && errors.Is(err, io.EOF)
		return 0, nil, r.fail(err)
	}
	length := binary.BigEndian.Uint32(head[:])
	if length < indexBytes || length > maxBodyBytes {
		return 0, nil, false
	}
	body, err := readBody(r.in, int(length))
	if err != nil {
		return 0, nil, r.fail(err)
	}
	index = binary.BigEndian.Uint64(body)
	if crc32.Checksum(body, castagnoli) != binary.BigEndian.Uint32(head[4:]) || index <= r.last {
		return 0, nil, false
	}
	r.last = index
	r.good += int64(headBytes + length)
	return index, body[indexBytes:], true
}

// readBody reads a body whose length may be a lie: it takes memory only as
// bytes come.
func readBody(in io.Reader, length int) ([]byte, error) {
	const step = 1 << 20
	var body []byte
	for len(body) < length {
		start := len(body)
		body = append(body, make([]byte, min(step, length-start))...)
		if _, err := io.ReadFull(in, body[start:]); err != nil {
			return nil, err
		}
	}
	return body, nil
}

// fail keeps errors that are not the end of the file, and returns false.
func (r *recordReader) fail(err error) bool {
	if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		r.err = err
	}
	return false
}

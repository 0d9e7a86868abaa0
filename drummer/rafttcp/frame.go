// SPDX-License-Identifier: Apache-2.0

package rafttcp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"time"
)

// A frame is the magic number, a header and a payload. The header has, each big-endian,
// the kind (2 bytes), the size of the payload (8), the CRC-32 (IEEE) of the header with
// this field zero (4), and that of the payload (4), which is not checked under TLS. Two
// zero bytes in the place of the magic number are the end of a snapshot, and are sent
// back.
const (
	magicSize  = 2
	headerSize = 18

	kindMessages uint16 = 100
	kindChunk    uint16 = 200

	// maxFrameBytes bounds a payload. A batch of messages has at most 64 MiB, or
	// one message, whose entries have at most that.
	maxFrameBytes = 160 << 20
	// keptBytes is the largest buffer that a connection keeps for the next frame.
	keptBytes = 256 << 10
)

var (
	magic = [magicSize]byte{0xAE, 0x7D}
	end   = [magicSize]byte{0, 0}

	errEnd = errors.New("the other side has ended its snapshot")
)

func encodeHeader(kind uint16, payload []byte, encrypted bool) [headerSize]byte {
	var h [headerSize]byte
	binary.BigEndian.PutUint16(h[:], kind)
	binary.BigEndian.PutUint64(h[2:], uint64(len(payload)))
	if !encrypted {
		binary.BigEndian.PutUint32(h[14:], crc32.ChecksumIEEE(payload))
	}
	binary.BigEndian.PutUint32(h[10:], crc32.ChecksumIEEE(h[:]))
	return h
}

// decodeHeader returns the kind, the size and the checksum of the payload.
func decodeHeader(h [headerSize]byte) (kind uint16, size uint64, sum uint32, err error) {
	own := binary.BigEndian.Uint32(h[10:])
	binary.BigEndian.PutUint32(h[10:], 0)
	kind, size, sum = binary.BigEndian.Uint16(h[:]), binary.BigEndian.Uint64(h[2:]), binary.BigEndian.Uint32(h[14:])
	switch {
	case own != crc32.ChecksumIEEE(h[:]):
		return 0, 0, 0, errors.New("the checksum of a header does not match")
	case kind != kindMessages && kind != kindChunk:
		return 0, 0, 0, fmt.Errorf("a frame is of the unknown kind %d", kind)
	case size == 0 || size > maxFrameBytes:
		return 0, 0, 0, fmt.Errorf("a frame has %d bytes, 1 to %d are allowed", size, maxFrameBytes)
	}
	return kind, size, sum, nil
}

// writeFrame sends a frame, each step within stepTimeout.
func writeFrame(conn net.Conn, kind uint16, payload []byte, encrypted bool) error {
	header := encodeHeader(kind, payload, encrypted)
	if err := writeStep(conn, append(magic[:], header[:]...)); err != nil {
		return err
	}
	for len(payload) > 0 {
		n := min(len(payload), stepBytes)
		if err := writeStep(conn, payload[:n]); err != nil {
			return err
		}
		payload = payload[n:]
	}
	return nil
}

func writeStep(conn net.Conn, data []byte) error {
	if err := conn.SetWriteDeadline(time.Now().Add(stepTimeout)); err != nil {
		return err
	}
	_, err := conn.Write(data)
	return err
}

// reader reads the frames of a connection. The payload that it returns is overwritten
// by the next one.
type reader struct {
	conn      net.Conn
	encrypted bool
	buffer    []byte
}

// next waits for a frame to begin, and reads it. The error is errEnd when the other side
// has ended its snapshot.
func (r *reader) next(wait time.Duration) (kind uint16, payload []byte, err error) {
	var start [magicSize]byte
	if err := r.readWithin(wait, start[:]); err != nil {
		return 0, nil, err
	}
	if start == end {
		return 0, nil, errEnd
	}
	if start != magic {
		return 0, nil, errors.New("what came is no frame")
	}
	var header [headerSize]byte
	if err := r.readWithin(stepTimeout, header[:]); err != nil {
		return 0, nil, err
	}
	kind, size, sum, err := decodeHeader(header)
	if err != nil {
		return 0, nil, err
	}
	if payload, err = r.payload(int(size)); err != nil {
		return 0, nil, err
	}
	if !r.encrypted && crc32.ChecksumIEEE(payload) != sum {
		return 0, nil, errors.New("the checksum of a payload does not match")
	}
	return kind, payload, nil
}

// payload takes memory as bytes arrive.
func (r *reader) payload(size int) ([]byte, error) {
	if cap(r.buffer) > keptBytes {
		r.buffer = nil
	}
	data := r.buffer[:0]
	for len(data) < size {
		step := min(size-len(data), stepBytes)
		if cap(data)-len(data) < step {
			data = append(make([]byte, 0, min(size, max(2*cap(data), len(data)+step))), data...)
		}
		if err := r.readWithin(stepTimeout, data[len(data):len(data)+step]); err != nil {
			return nil, err
		}
		data = data[:len(data)+step]
	}
	r.buffer = data
	return data, nil
}

func (r *reader) readWithin(d time.Duration, data []byte) error {
	if err := r.conn.SetReadDeadline(time.Now().Add(d)); err != nil {
		return err
	}
	_, err := io.ReadFull(r.conn, data)
	return err
}

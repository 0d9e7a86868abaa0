// SPDX-License-Identifier: Apache-2.0

package db

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"

	"google.golang.org/protobuf/proto"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// A snapshot is
//
//	magic                        8 bytes, the last one is the format's version
//	records                      each a uvarint length and a pb.SnapshotRecord
//	0                            a record of no bytes ends them
//	SHA-256 of all that precedes 32 bytes, which is the state's Digest
//
// The order of records, and the bytes of each, follow from the state alone.
var magic = [8]byte{'D', 'R', 'U', 'M', 'D', 'B', 0, 4}

// oldest is the oldest format that is read: 3 has no Node.Stops and no Node.RanSince.
const oldest = 3

// bufferBytes is what is read or written at a time.
const bufferBytes = 64 << 10

// maxRecordBytes bounds one record; the largest has clusters.
const maxRecordBytes = 64 << 20

// Digest identifies a state: two replicas at the same index have the same
// one, and so does a state restored from a snapshot.
type Digest [sha256.Size]byte

// String is the digest in hexadecimal.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// DigestOf computes the digest of a state.
func DigestOf(s *State) Digest {
	d, err := writeRecords(s, io.Discard)
	if err != nil {
		return Digest{} // only a string that is not UTF-8 can do this
	}
	return d
}

// WriteSnapshot streams a state.
func WriteSnapshot(s *State, w io.Writer) error {
	buffered := bufio.NewWriterSize(w, bufferBytes)
	digest, err := writeRecords(s, buffered)
	if err != nil {
		return err
	}
	if _, err := buffered.Write(digest[:]); err != nil {
		return err
	}
	return buffered.Flush()
}

func writeRecords(s *State, w io.Writer) (Digest, error) {
	sum := sha256.New()
	out := &recordWriter{w: io.MultiWriter(w, sum)}
	out.raw(magic[:])
	for r, err := range s.records() {
		if err != nil {
			return Digest{}, err
		}
		if out.record(r); out.err != nil {
			break
		}
	}
	out.raw([]byte{0})
	return digestOf(sum), out.err
}

func digestOf(h hash.Hash) Digest {
	var d Digest
	h.Sum(d[:0])
	return d
}

// recordWriter keeps its first error and does nothing after it.
type recordWriter struct {
	w       io.Writer
	scratch []byte
	err     error
}

func (o *recordWriter) raw(p []byte) {
	if o.err == nil {
		_, o.err = o.w.Write(p)
	}
}

func (o *recordWriter) record(r *pb.SnapshotRecord) {
	options := proto.MarshalOptions{Deterministic: true}
	data, err := options.MarshalAppend(o.scratch[:0], r)
	if err != nil {
		o.err = fmt.Errorf("a record of the snapshot can't be encoded: %w", err)
		return
	}
	o.scratch = data
	o.raw(binary.AppendUvarint(nil, uint64(len(data))))
	o.raw(data)
}

// ReadSnapshot restores a state, bit for bit. Bytes that are no snapshot of
// this version, or were damaged, give an error.
func ReadSnapshot(r io.Reader) (*State, error) {
	in := &recordReader{r: bufio.NewReaderSize(r, bufferBytes), sum: sha256.New()}
	var head [len(magic)]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return nil, fmt.Errorf("the snapshot of DrummerDB ends before its header: %w", err)
	}
	switch {
	case !bytes.Equal(head[:7], magic[:7]):
		return nil, errors.New("this is no snapshot of DrummerDB")
	case head[7] < oldest || head[7] > magic[7]:
		return nil, fmt.Errorf("the snapshot of DrummerDB has format %d, this version reads %d to %d", head[7], oldest, magic[7])
	}
	state, err := readState(in)
	if err != nil {
		return nil, err
	}
	want := digestOf(in.sum)
	var got Digest
	if _, err := io.ReadFull(in.r, got[:]); err != nil {
		return nil, fmt.Errorf("the snapshot of DrummerDB ends before its digest: %w", err)
	}
	if got != want {
		return nil, fmt.Errorf("the snapshot of DrummerDB is damaged: its digest is %s, not %s", want, got)
	}
	return state, nil
}

// recordReader adds what is read to a digest.
type recordReader struct {
	r       *bufio.Reader
	sum     hash.Hash
	scratch []byte
}

func (i *recordReader) Read(p []byte) (int, error) {
	n, err := i.r.Read(p)
	i.sum.Write(p[:n])
	return n, err
}

func (i *recordReader) ReadByte() (byte, error) {
	b, err := i.r.ReadByte()
	if err == nil {
		i.sum.Write([]byte{b})
	}
	return b, err
}

// next returns nil at the end of the records.
func (i *recordReader) next() (*pb.SnapshotRecord, error) {
	size, err := binary.ReadUvarint(i)
	if err != nil {
		return nil, fmt.Errorf("the snapshot of DrummerDB ends between records: %w", err)
	}
	if size == 0 {
		return nil, nil
	}
	if size > maxRecordBytes {
		return nil, fmt.Errorf("the snapshot of DrummerDB has a record of %d bytes, at most %d are allowed",
			size, maxRecordBytes)
	}
	data, err := i.take(size)
	if err != nil {
		return nil, fmt.Errorf("the snapshot of DrummerDB ends within a record: %w", err)
	}
	r := &pb.SnapshotRecord{}
	if err := proto.Unmarshal(data, r); err != nil {
		return nil, fmt.Errorf("a record of the snapshot of DrummerDB can't be decoded: %w", err)
	}
	return r, nil
}

// take reads size bytes, which are good until the next call. Its memory grows
// with what is there, not with what the size promises.
func (i *recordReader) take(size uint64) ([]byte, error) {
	const step = 1 << 20
	data := i.scratch[:0]
	for uint64(len(data)) < size {
		n := min(size-uint64(len(data)), step)
		from := len(data)
		data = slices.Grow(data, int(n))[:from+int(n)]
		if _, err := io.ReadFull(i, data[from:]); err != nil {
			return nil, err
		}
	}
	i.scratch = data
	return data, nil
}

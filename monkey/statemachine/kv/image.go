// SPDX-License-Identifier: Apache-2.0

package kv

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"maps"
	"slices"
)

// Image is the state of a store at one moment. It does not change when the
// store does.
type Image struct {
	version Version
	entries map[string]entry
	digest  Digest
}

// Image returns the state as it is. It costs a copy of the table of keys.
func (s *Store) Image() *Image {
	return &Image{version: s.version, entries: maps.Clone(s.entries), digest: s.digest}
}

// Version is that of the store that made the image, or wrote it. It is the format
// in which WriteTo writes.
func (i *Image) Version() Version { return i.version }

// Digest returns the digest of the state in the image.
func (i *Image) Digest() Digest { return i.digest }

// Without returns the image with a key left out, as if it had never been
// written. The Chain of its digest is that of the whole image.
func (i *Image) Without(key string) *Image {
	less := i.clone()
	less.digest.Contents -= less.entries[key].hash
	delete(less.entries, key)
	return less
}

// WithoutValue returns the image with the value of a key left out, as if the write
// that made it so had deleted it. The Chain of its digest is that of the whole image.
func (i *Image) WithoutValue(key string) *Image {
	less := i.clone()
	e := less.entries[key]
	less.digest.Contents -= e.hash
	e.Value = Maybe{}
	e.hash = hashState(key, e.State)
	less.digest.Contents += e.hash
	less.entries[key] = e
	return less
}

func (i *Image) clone() *Image {
	return &Image{version: i.version, entries: maps.Clone(i.entries), digest: i.digest}
}

// Keys returns all keys ever written, deleted or not, in order.
func (i *Image) Keys() []string { return slices.Sorted(maps.Keys(i.entries)) }

// Get returns the state of a key.
func (i *Image) Get(key string) State { return i.entries[key].State }

// Restore replaces the whole state by that of an image, of whatever version. The
// image may be used on.
func (s *Store) Restore(i *Image) {
	*s = Store{version: s.version, entries: maps.Clone(i.entries), digest: i.digest}
}

// The format of an image: magic, version, the digest, the number of keys, for
// each key in order its text and state, and a CRC-32C of all before. In version 2
// the text of a key is the number of bytes that it shares with the key before it,
// and the rest.
var (
	imageMagic = []byte("drumkv")
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

// WriteTo writes the image. Equal states are written as equal bytes.
func (i *Image) WriteTo(w io.Writer) (int64, error) {
	sum := crc32.New(castagnoli)
	out := bufio.NewWriter(io.MultiWriter(w, sum))
	var written int64
	write := func(data []byte) error {
		n, err := out.Write(data)
		written += int64(n)
		return err
	}
	head := appendDigest(append(slices.Clone(imageMagic), byte(i.version)), i.digest)
	if err := write(binary.AppendUvarint(head, uint64(len(i.entries)))); err != nil {
		return written, fmt.Errorf("cannot write snapshot: %w", err)
	}
	var buffer []byte
	last := ""
	for _, key := range i.Keys() {
		buffer = appendState(i.version.appendKey(buffer[:0], last, key), i.entries[key].State)
		last = key
		if err := write(buffer); err != nil {
			return written, fmt.Errorf("cannot write snapshot: %w", err)
		}
	}
	if err := out.Flush(); err != nil {
		return written, fmt.Errorf("cannot write snapshot: %w", err)
	}
	n, err := w.Write(sum.Sum(nil))
	if err != nil {
		return written, fmt.Errorf("cannot write snapshot: %w", err)
	}
	return written + int64(n), nil
}

// ReadImage reads what WriteTo wrote in any version, and not a byte more than it may
// buffer. Bytes that are cut off, damaged or of an unknown version are an error.
func ReadImage(r io.Reader) (*Image, error) {
	in := &imageReader{in: bufio.NewReader(r), sum: crc32.New(castagnoli)}
	magic := make([]byte, len(imageMagic)+1)
	in.full(magic)
	version := Version(magic[len(imageMagic)])
	if in.err == nil && (string(magic[:len(imageMagic)]) != string(imageMagic) || !version.known()) {
		return nil, fmt.Errorf("found a snapshot that begins with %q, expected %q and version %d to %d", magic, imageMagic, V1, V2)
	}
	image := &Image{version: version, entries: map[string]entry{}, digest: in.digest()}
	in.entries(image)
	if in.err != nil {
		return nil, fmt.Errorf("cannot read snapshot: %w", in.err)
	}
	return image, nil
}

// imageReader reads the parts of an image, sums them, and keeps the first
// error.
type imageReader struct {
	in  *bufio.Reader
	sum hash.Hash32
	err error
}

func (r *imageReader) full(data []byte) {
	if r.err != nil {
		return
	}
	if _, err := io.ReadFull(r.in, data); err != nil {
		r.err = noEOF(err)
		return
	}
	r.sum.Write(data)
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// ReadByte implements io.ByteReader.
func (r *imageReader) ReadByte() (byte, error) {
	var one [1]byte
	r.full(one[:])
	return one[0], r.err
}

func (r *imageReader) uvarint() uint64 {
	value, err := binary.ReadUvarint(r)
	if err != nil && r.err == nil {
		r.err = err
	}
	return value
}

func (r *imageReader) fixed() uint64 {
	var data [8]byte
	r.full(data[:])
	return binary.BigEndian.Uint64(data[:])
}

func (r *imageReader) digest() Digest {
	return Digest{Applied: r.uvarint(), Updates: r.uvarint(), Contents: r.fixed(), Chain: r.fixed()}
}

func (r *imageReader) text(limit uint64) string {
	length := r.uvarint()
	if length > limit && r.err == nil {
		r.err = fmt.Errorf("found a text of %d bytes, expected at most %d", length, limit)
	}
	if r.err != nil {
		return ""
	}
	data := make([]byte, length)
	r.full(data)
	return string(data)
}

func (r *imageReader) state() State {
	var s State
	switch present, _ := r.ReadByte(); present {
	case 0:
	case 1:
		s.Value = Some(r.text(MaxValue))
	default:
		r.err = fmt.Errorf("found %d, expected 0 or 1 before a value", present)
	}
	s.Writer, s.Index = r.text(MaxWriter), r.uvarint()
	return s
}

// entries reads all keys, and checks them against the digest and the sum.
func (r *imageReader) entries(image *Image) {
	count, last := r.uvarint(), ""
	var contents uint64
	for n := uint64(0); n < count && r.err == nil; n++ {
		key := image.version.readKey(r, last)
		state := r.state()
		if key <= last && r.err == nil {
			r.err = fmt.Errorf("found key %q after %q, expected keys in order", key, last)
		}
		last = key
		fresh := entry{State: state, hash: hashState(key, state)}
		contents += fresh.hash
		image.entries[key] = fresh
	}
	want := r.sum.Sum(nil)
	got := make([]byte, len(want))
	r.full(got)
	if r.err == nil && string(got) != string(want) {
		r.err = errors.New("found a checksum that does not match")
	}
	if r.err == nil && contents != image.digest.Contents {
		r.err = errors.New("found a digest that does not match the keys")
	}
}

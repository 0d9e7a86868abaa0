// SPDX-License-Identifier: Apache-2.0

package kv

import (
	"encoding/binary"
	"fmt"
)

// The encodings are made of bytes, uvarints, texts (a uvarint length and the
// bytes) and maybes (a byte, 0 for absent or 1 for present, and then the text).

func appendText(out []byte, text string) []byte {
	out = binary.AppendUvarint(out, uint64(len(text)))
	return append(out, text...)
}

func appendMaybe(out []byte, m Maybe) []byte {
	if !m.Present {
		return append(out, 0)
	}
	return appendText(append(out, 1), m.Text)
}

// reader takes an encoding apart. After a failure everything it returns is
// zero, and end reports it.
type reader struct {
	rest   []byte
	failed bool
}

func (r *reader) take(n uint64) []byte {
	if r.failed || n > uint64(len(r.rest)) {
		r.failed, r.rest = true, nil
		return nil
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *reader) byte() byte {
	if taken := r.take(1); len(taken) == 1 {
		return taken[0]
	}
	return 0
}

func (r *reader) uvarint() uint64 {
	value, size := binary.Uvarint(r.rest)
	if size <= 0 || size > 1 && r.rest[size-1] == 0 { // cut off, too big, or longer than need be
		r.failed, r.rest = true, nil
		return 0
	}
	r.take(uint64(size))
	return value
}

func (r *reader) text() string { return string(r.take(r.uvarint())) }

func (r *reader) maybe() Maybe {
	switch r.byte() {
	case 0:
		return Maybe{}
	case 1:
		return Some(r.text())
	}
	r.failed = true
	return Maybe{}
}

// end reports whether the encoding was whole, and had nothing behind it.
func (r *reader) end(what string) error {
	if r.failed {
		return fmt.Errorf("found a %s that is cut off or malformed", what)
	}
	if len(r.rest) > 0 {
		return fmt.Errorf("found %d bytes behind a %s", len(r.rest), what)
	}
	return nil
}

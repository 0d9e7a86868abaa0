// SPDX-License-Identifier: Apache-2.0

package kv

import (
	"encoding/binary"
	"fmt"
)

// Version is one of the builds of a store, from one to the next of which a
// deployment is upgraded, host by host. They differ in the format of the images that
// they write, and in nothing else: the same commands get the same answers, and make
// the same digests.
//
// Each version reads the images of all. While hosts are upgraded, a replica of
// version 1 may be sent the image of a leader that has version 2 already, and a host
// may be set back to version 1 on a disk that holds images of version 2. If version 2
// wrote the format of version 1 until all have it, as is done where version 1 is out
// there and can't read another one, every host would have to know of all others.
type Version uint8

// The versions.
const (
	V1 Version = 1
	V2 Version = 2
)

func (v Version) known() bool { return v == V1 || v == V2 }

// appendKey appends a key of an image, behind the key before it.
func (v Version) appendKey(out []byte, last, key string) []byte {
	if v == V1 {
		return appendText(out, key)
	}
	shared := sharedPrefix(last, key)
	return appendText(binary.AppendUvarint(out, uint64(shared)), key[shared:])
}

// readKey reads what appendKey appended. Keys that share more with the one before
// than is written are refused: each image is written in one way.
func (v Version) readKey(r *imageReader, last string) string {
	if v == V1 {
		return r.text(MaxKey)
	}
	shared := r.uvarint()
	if r.err == nil && shared > uint64(len(last)) {
		r.err = fmt.Errorf("found a key that shares %d bytes with the one before, which has %d", shared, len(last))
	}
	if r.err != nil {
		return ""
	}
	key := last[:shared] + r.text(MaxKey-shared)
	if r.err == nil && sharedPrefix(last, key) != int(shared) {
		r.err = fmt.Errorf("found a key that shares %d bytes with the one before, expected %d", sharedPrefix(last, key), shared)
	}
	return key
}

// sharedPrefix counts the bytes with which both texts begin.
func sharedPrefix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

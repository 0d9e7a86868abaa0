// SPDX-License-Identifier: Apache-2.0

package kv

import (
	"encoding/binary"
	"fmt"
)

// queryKind is what a query asks for.
type queryKind uint8

const (
	queryGet    queryKind = 1
	queryDigest queryKind = 2
)

const queryVersion = 1

// GetQuery asks for the state of a key; the answer is an Answer.
func GetQuery(key string) []byte {
	return appendText([]byte{queryVersion, byte(queryGet)}, key)
}

// DigestQuery asks for the digest of the state; the answer is a Digest.
func DigestQuery() []byte { return []byte{queryVersion, byte(queryDigest)} }

// Lookup answers a query. What is no query is answered with Invalid.
func (s *Store) Lookup(query []byte) []byte {
	r := reader{rest: query}
	version, kind := r.byte(), queryKind(r.byte())
	key := ""
	if kind == queryGet {
		key = r.text()
	}
	if version != queryVersion || r.end("query") != nil {
		return Answer{Status: Invalid}.Encode()
	}
	switch kind {
	case queryGet:
		return Answer{Status: OK, Observed: s.Get(key), Applied: s.digest.Applied}.Encode()
	case queryDigest:
		return s.Digest().encode()
	}
	return Answer{Status: Invalid}.Encode()
}

// KeyOfGet returns the key that a query asks for, and whether it is a get.
func KeyOfGet(query []byte) (string, bool) {
	r := reader{rest: query}
	isGet := r.byte() == queryVersion && queryKind(r.byte()) == queryGet
	key := r.text()
	return key, isGet && r.end("query") == nil
}

// digestVersion begins encoded digests.
const digestVersion = 1

func (d Digest) encode() []byte {
	return appendDigest([]byte{digestVersion, byte(queryDigest)}, d)
}

func appendDigest(out []byte, d Digest) []byte {
	out = binary.AppendUvarint(out, d.Applied)
	out = binary.AppendUvarint(out, d.Updates)
	out = binary.BigEndian.AppendUint64(out, d.Contents)
	return binary.BigEndian.AppendUint64(out, d.Chain)
}

func (r *reader) digest() Digest {
	return Digest{Applied: r.uvarint(), Updates: r.uvarint(), Contents: r.fixed(), Chain: r.fixed()}
}

func (r *reader) fixed() uint64 {
	if taken := r.take(8); len(taken) == 8 {
		return binary.BigEndian.Uint64(taken)
	}
	return 0
}

// DecodeDigest reads the answer to a DigestQuery.
func DecodeDigest(data []byte) (Digest, error) {
	r := reader{rest: data}
	if version, kind := r.byte(), queryKind(r.byte()); version != digestVersion || kind != queryDigest {
		return Digest{}, fmt.Errorf("found an answer (version %d, kind %d) that is not a digest", version, kind)
	}
	d := r.digest()
	return d, r.end("digest")
}

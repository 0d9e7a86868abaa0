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
	queryTrail  queryKind = 3
)

const queryVersion = 1

// GetQuery asks for the state of a key; the answer is an Answer.
func GetQuery(key string) []byte {
	return appendText([]byte{queryVersion, byte(queryGet)}, key)
}

// DigestQuery asks for the digest of the state; the answer is a Digest.
func DigestQuery() []byte { return []byte{queryVersion, byte(queryDigest)} }

// TrailQuery asks for the newest updates and the digest after each of them;
// the answer is a Trail.
func TrailQuery() []byte { return []byte{queryVersion, byte(queryTrail)} }

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
		return Answer{Status: OK, Observed: s.Get(key)}.Encode()
	case queryDigest:
		return s.Digest().encode()
	case queryTrail:
		return s.Trail().encode()
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

// digestVersion begins encoded digests and trails.
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
	if err := r.header(queryDigest, "digest"); err != nil {
		return Digest{}, err
	}
	d := r.digest()
	return d, r.end("digest")
}

func (r *reader) header(want queryKind, what string) error {
	if version, kind := r.byte(), queryKind(r.byte()); version != digestVersion || kind != want {
		return fmt.Errorf("found an answer (version %d, kind %d) that is not a %s", version, kind, what)
	}
	return nil
}

func (t Trail) encode() []byte {
	out := []byte{digestVersion, byte(queryTrail)}
	out = binary.AppendUvarint(out, uint64(len(t)))
	for _, step := range t {
		out = append(out, byte(step.Op))
		out = appendText(out, step.Key)
		out = appendText(out, step.Writer)
		out = appendDigest(out, step.After)
	}
	return out
}

// DecodeTrail reads the answer to a TrailQuery.
func DecodeTrail(data []byte) (Trail, error) {
	r := reader{rest: data}
	if err := r.header(queryTrail, "trail"); err != nil {
		return nil, err
	}
	count := r.uvarint()
	if count > trailLength {
		return nil, fmt.Errorf("found a trail of %d steps, expected at most %d", count, trailLength)
	}
	trail := make(Trail, 0, min(count, uint64(len(data))))
	for range count {
		trail = append(trail, Step{Op: Op(r.byte()), Key: r.text(), Writer: r.text(), After: r.digest()})
		if r.failed {
			break
		}
	}
	return trail, r.end("trail")
}

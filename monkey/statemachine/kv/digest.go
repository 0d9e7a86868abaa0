// SPDX-License-Identifier: Apache-2.0

package kv

// Digest stands for a replica's state. Replicas of one cluster that have
// applied the same entries have equal digests.
type Digest struct {
	// Applied is the index of the last update. Regular state machines are not
	// told indexes, and count updates instead.
	Applied uint64
	// Updates counts the commands that were applied, also those without effect.
	Updates uint64
	// Contents is the sum of the hashes of all keys' states.
	Contents uint64
	// Chain hashes all digests there ever were, one into the next: after one
	// difference it stays different, even when the contents are equal again.
	Chain uint64
}

// after returns the digest once an update at index made the contents so.
func (d Digest) after(index, contents uint64) Digest {
	return Digest{
		Applied:  index,
		Updates:  d.Updates + 1,
		Contents: contents,
		Chain:    mix(mix(d.Chain^index) ^ contents),
	}
}

// hashState hashes what a key holds (FNV-1a, then mixed so that sums of
// hashes do not cancel out).
func hashState(key string, s State) uint64 {
	h := uint64(14695981039346656037)
	h = hashText(h, key)
	h = hashText(h, s.Writer)
	if s.Value.Present {
		h = hashText(h^1, s.Value.Text)
	}
	return mix(h ^ mix(s.Index))
}

func hashText(h uint64, text string) uint64 {
	const prime = 1099511628211
	for i := range len(text) {
		h = (h ^ uint64(text[i])) * prime
	}
	return (h ^ uint64(len(text))) * prime
}

// mix is the finalizer of SplitMix64 (Steele, Lea, Flood 2014).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

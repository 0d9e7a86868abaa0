// SPDX-License-Identifier: Apache-2.0

package kv

import "slices"

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

// trailLength bounds the trail.
const trailLength = 512

// Step is one update and the digest after it.
type Step struct {
	Op     Op // 0: the command was invalid
	Key    string
	Writer string
	After  Digest
}

// Trail is the newest updates of a replica, oldest first, at most 512. It
// begins anew when a snapshot is restored.
type Trail []Step

// Divergence is the first update after which two replicas differ.
type Divergence struct {
	// Mine and Theirs are the two replicas' steps at the same index. When only
	// one of them applied an update at that index, the other one is nil.
	Mine, Theirs *Step
	// Earlier is true when the replicas differ at the oldest index that both
	// trails have: they diverged there or before.
	Earlier bool
}

// Diverge compares the trails of two replicas where they overlap, and returns
// where they parted; nil if they agree there.
func Diverge(mine, theirs Trail) *Divergence {
	if len(mine) == 0 || len(theirs) == 0 {
		return nil
	}
	start := max(mine[0].After.Applied, theirs[0].After.Applied)
	end := min(mine[len(mine)-1].After.Applied, theirs[len(theirs)-1].After.Applied)
	mine, theirs = mine.between(start, end), theirs.between(start, end)
	for i := range max(len(mine), len(theirs)) {
		a, b := mine.at(i), theirs.at(i)
		if a != nil && b != nil && a.After == b.After {
			continue
		}
		switch { // only the earlier one of two different indexes is at the divergence
		case a != nil && b != nil && a.After.Applied < b.After.Applied:
			b = nil
		case a != nil && b != nil && a.After.Applied > b.After.Applied:
			a = nil
		}
		return &Divergence{Mine: a, Theirs: b, Earlier: i == 0}
	}
	return nil
}

// between returns the steps at the indexes from start to end.
func (t Trail) between(start, end uint64) Trail {
	from, _ := slices.BinarySearchFunc(t, start, compareIndex)
	to, found := slices.BinarySearchFunc(t, end, compareIndex)
	if found {
		to++
	}
	return t[min(from, to):to]
}

func compareIndex(s Step, index uint64) int {
	switch {
	case s.After.Applied < index:
		return -1
	case s.After.Applied > index:
		return 1
	}
	return 0
}

func (t Trail) at(i int) *Step {
	if i >= len(t) {
		return nil
	}
	return &t[i]
}

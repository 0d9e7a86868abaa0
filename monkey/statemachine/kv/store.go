// SPDX-License-Identifier: Apache-2.0

package kv

// Store is a key-value store with its digest.
//
// Invariants: digest.Contents is the sum of the hashes in entries; a key is in
// entries once it was written, deleted or not, so that readers learn who
// deleted it.
type Store struct {
	version Version
	entries map[string]entry
	digest  Digest
}

type entry struct {
	State
	hash uint64 // hashState of the key and State
}

// New returns an empty store of version 1.
func New() *Store { return NewOf(V1) }

// NewOf returns an empty store of a version.
func NewOf(v Version) *Store { return &Store{version: v, entries: map[string]entry{}} }

// Version is the version of the store.
func (s *Store) Version() Version { return s.version }

// Get returns the state of a key.
func (s *Store) Get(key string) State { return s.entries[key].State }

// Digest returns the digest of the state as it is.
func (s *Store) Digest() Digest { return s.digest }

// Apply carries out the encoded command at the given index of the log, which
// is greater than all before. Bytes that are no command change nothing but
// the digest.
func (s *Store) Apply(index uint64, data []byte) Answer {
	command, err := DecodeCommand(data)
	if err != nil {
		s.Commit(index, Command{}, nil)
		return Answer{Status: Invalid, Applied: index}
	}
	answer, value := s.Evaluate(command)
	s.Commit(index, command, value)
	answer.Applied = index
	return answer
}

// Evaluate returns the answer that a command gets, and the value that its key
// then holds, without changing anything; nil: the key stays as it is. The
// answer lacks Applied: nothing is.
func (s *Store) Evaluate(c Command) (Answer, *Maybe) {
	seen := s.Get(c.Key)
	replaced := State{Writer: seen.Writer, Index: seen.Index}
	if !c.withinLimits() {
		return Answer{Status: TooLarge}, nil
	}
	value := c.Value
	if do := objectOps[c.Op]; do != nil {
		next, result, ok := do(seen.Value, c.Value.Text)
		switch {
		case !ok:
			return Answer{Status: Mismatch, Observed: replaced}, nil
		case len(next.Text) > MaxValue || len(result.Text) > MaxValue:
			return Answer{Status: TooLarge}, nil
		}
		replaced.Value = result
		return Answer{Status: OK, Observed: replaced}, &next
	}
	switch c.Op {
	case CAS:
		if seen.Value != c.Expected {
			return Answer{Status: Mismatch, Observed: seen}, nil
		}
	case Append:
		if len(seen.Value.Text)+len(c.Value.Text) > MaxValue {
			return Answer{Status: TooLarge}, nil
		}
		value = Some(seen.Value.Text + c.Value.Text)
	case Delete:
		value = Maybe{}
	}
	return Answer{Status: OK, Observed: replaced}, &value
}

// Commit finishes the update at an index: the command's key holds *value from
// now on, or stays as it is when value is nil.
func (s *Store) Commit(index uint64, c Command, value *Maybe) {
	contents := s.digest.Contents
	if value != nil {
		state := State{Value: *value, Writer: c.Writer, Index: index}
		if objectOps[c.Op] != nil {
			state.Writer = trail(c.Writer, s.entries[c.Key].Writer)
		}
		fresh := entry{State: state, hash: hashState(c.Key, state)}
		contents += fresh.hash - s.entries[c.Key].hash
		s.entries[c.Key] = fresh
	}
	s.digest = s.digest.after(index, contents)
}

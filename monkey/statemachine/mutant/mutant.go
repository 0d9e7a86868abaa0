// SPDX-License-Identifier: Apache-2.0

package mutant

import (
	"fmt"

	"github.com/drumbeat-raft/drumbeat/monkey/statemachine"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
)

// The checks that find mutants, by the names that results use.
const (
	Linearizability = "linearizability"
	Digests         = "digests"
)

// Kind is a line of the table of mutants.
type Kind struct {
	Name string
	Doc  string
	// FoundBy names the checks that must find it when one node has it, if
	// enough happens. When all nodes have it they agree, and only
	// Linearizability is left.
	FoundBy []string

	make func(victim) statemachine.Core
}

// Kinds is the table of all mutants.
var Kinds = []Kind{
	{"drop-update", "An update is answered ok and forgotten.",
		[]string{Digests, Linearizability}, dropUpdate},
	{"lost-cas", "A cas is answered ok and its value is not stored.",
		[]string{Digests, Linearizability}, lostCAS},
	{"dirty-cas", "A cas that is answered 'mismatch' stores its value all the same.",
		[]string{Digests, Linearizability}, dirtyCAS},
	{"wrong-result", "A cas that does not match is answered ok.",
		[]string{Linearizability}, wrongResult},
	{"double-append", "An append is carried out twice.",
		[]string{Digests, Linearizability}, doubleAppend},
	{"lost-delete", "A delete is answered ok and the key keeps its value.",
		[]string{Digests, Linearizability}, lostDelete},
	{"stale-read", "A get is answered with the state before the newest one.",
		[]string{Linearizability}, staleRead},
	{"forget-snapshot", "A snapshot lacks the key that was written last.",
		[]string{Digests, Linearizability}, forgetSnapshot},
}

// Config says which mutant strikes where, and how often.
type Config struct {
	Kind string
	// Every is the mean number of occasions between two strikes, at least 1.
	Every int
	// Seed draws the occasions and the bad nodes. The same seed strikes the
	// same entries of the log, also when they are applied again.
	Seed uint64
	// Size is the number of first members of a cluster: exactly one of them is
	// bad, as they have NodeIDs in a row, and one in Size of those which take
	// their place. 0: all nodes are bad.
	Size int
}

// New returns a factory of cores, most of which are correct when Size is set.
func New(c Config) (statemachine.NewCore, error) {
	if c.Every < 1 || c.Size < 0 {
		return nil, fmt.Errorf("found a mutant with every %d and size %d, expected at least 1 and 0", c.Every, c.Size)
	}
	for _, kind := range Kinds {
		if kind.Name == c.Kind {
			return func(clusterID, nodeID uint64) statemachine.Core {
				if !c.IsBad(clusterID, nodeID) {
					return kv.New()
				}
				return kind.make(victim{seed: mix(c.Seed ^ mix(clusterID)), every: uint64(c.Every)})
			}, nil
		}
	}
	return nil, fmt.Errorf("found no mutant named %q", c.Kind)
}

// IsBad tells whether a node has the bug.
func (c Config) IsBad(clusterID, nodeID uint64) bool {
	return c.Size == 0 || nodeID%uint64(c.Size) == mix(c.Seed+mix(clusterID))%uint64(c.Size)
}

// victim draws the occasions at which one bad node misbehaves.
type victim struct {
	seed, every uint64
}

// strikes tells whether occasion number n is one.
func (v victim) strikes(n uint64) bool { return mix(v.seed^mix(n))%v.every == 0 }

// mix is the finalizer of SplitMix64 (Steele, Lea, Flood 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// misapplied is a core that carries out some commands wrongly.
type misapplied struct {
	*kv.Store
	victim
	// concerns tells whether a command is an occasion.
	concerns func(kv.Command, kv.Answer) bool
	// twist replaces the answer and the value to be stored.
	twist func(kv.Command, kv.Answer, *kv.Maybe) (kv.Answer, *kv.Maybe)
}

// Apply implements statemachine.Core. Which commands it strikes depends on
// their place in the log only.
func (m *misapplied) Apply(index uint64, data []byte) kv.Answer {
	command, err := kv.DecodeCommand(data)
	if err != nil {
		return m.Store.Apply(index, data)
	}
	answer, value := m.Evaluate(command)
	if m.concerns(command, answer) && m.strikes(m.Digest().Updates) {
		answer, value = m.twist(command, answer, value)
	}
	m.Commit(index, command, value)
	return answer
}

// forget is the twist that stores nothing.
func forget(_ kv.Command, a kv.Answer, _ *kv.Maybe) (kv.Answer, *kv.Maybe) { return a, nil }

// whenOK makes an occasion of each command of one kind that takes effect.
func whenOK(op kv.Op) func(kv.Command, kv.Answer) bool {
	return func(c kv.Command, a kv.Answer) bool { return c.Op == op && a.Status == kv.OK }
}

// whenMismatch makes an occasion of each cas that fails.
func whenMismatch(_ kv.Command, a kv.Answer) bool { return a.Status == kv.Mismatch }

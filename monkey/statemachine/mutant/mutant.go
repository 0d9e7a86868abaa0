// SPDX-License-Identifier: Apache-2.0

package mutant

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/drumbeat-raft/drumbeat/monkey/statemachine"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
)

// The checks that find mutants, by their keys.
const (
	Linearizability = "linearizability"
	Digests         = "digests"
)

// Kind describes a mutant.
type Kind struct {
	Name string
	Doc  string
	// Occasion says when it can strike, and what is counted as an occasion.
	Occasion string
	// Every is the mean number of occasions from one strike to the next, unless
	// Config says otherwise: often enough to be found in the minutes that a run
	// takes, seldom enough to need a harness.
	Every int
	// FoundBy lists the checks that must find it when one node has it, if
	// enough happens. When all nodes have it they agree, and only
	// Linearizability is left.
	FoundBy []string

	newCore func(trigger) statemachine.Core
}

var kinds = map[string]Kind{}

// register puts a mutant into the table. A name given twice is a mistake in the
// program.
func register(k Kind) {
	if _, ok := kinds[k.Name]; ok {
		panic(fmt.Sprintf("mutant: %s is registered twice", k.Name))
	}
	kinds[k.Name] = k
}

// Kinds returns the table of all mutants, in order of their names.
func Kinds() []Kind {
	var all []Kind
	for _, k := range kinds {
		all = append(all, k)
	}
	slices.SortFunc(all, func(a, b Kind) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// Config says which mutant strikes where, and how often.
type Config struct {
	Kind string
	// Every is the mean number of occasions from one strike to the next; 0: as
	// the kind says.
	Every int
	// Seed draws the occasions and the bad nodes. The same seed strikes the
	// same entries of the log, also when they are applied again.
	Seed uint64
	// Size is the number of first members of a cluster: exactly one of them is
	// bad, as they have NodeIDs in a row, and one in Size of those which take
	// their place. 0: all nodes are bad.
	Size int
	// Strikes counts what all cores together do. May be nil.
	Strikes *Strikes
}

// New returns a factory of cores, most of which are correct when Size is set.
func New(c Config) (statemachine.NewCore, error) {
	kind, ok := kinds[c.Kind]
	if !ok {
		return nil, fmt.Errorf("found no mutant named %q", c.Kind)
	}
	if c.Every < 0 || c.Size < 0 {
		return nil, fmt.Errorf("found a mutant with every %d and size %d, expected at least 0", c.Every, c.Size)
	}
	if c.Strikes == nil {
		c.Strikes = &Strikes{}
	}
	every := uint64(cmp.Or(c.Every, kind.Every))
	return func(clusterID, nodeID uint64) statemachine.Core {
		if !c.IsBad(clusterID, nodeID) {
			return kv.New()
		}
		return kind.newCore(trigger{seed: mix(c.Seed ^ mix(clusterID)), every: every, counts: c.Strikes})
	}, nil
}

// IsBad reports whether a node has the bug.
func (c Config) IsBad(clusterID, nodeID uint64) bool {
	return c.Size == 0 || nodeID%uint64(c.Size) == mix(c.Seed+mix(clusterID))%uint64(c.Size)
}

// SPDX-License-Identifier: Apache-2.0

package mutant

import (
	"cmp"
	"fmt"

	"github.com/drumbeat-raft/drumbeat/monkey/statemachine"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// The checks that find mutants, by their keys.
const (
	Linearizability = "linearizability"
	Digests         = "digests"    // after healing
	Divergence      = "divergence" // while the run goes on
)

// kind is a mutant: what scenario files know of it, and its core.
type kind struct {
	scenarios.BugKind
	newCore func(trigger) statemachine.Core
}

var kinds = map[string]kind{}

// register makes a mutant known, here and to scenario files. Its Every is to be
// often enough to be found in the minutes that a run takes, and seldom enough
// to need a harness. Its FoundBy lists the checks that must find it when one
// node has it, if enough happens; when all nodes have it they agree, and only
// Linearizability is left.
func register(bug scenarios.BugKind, newCore func(trigger) statemachine.Core) {
	scenarios.RegisterBug(bug)
	kinds[bug.Name] = kind{bug, newCore}
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
	// Version is the build of the state machine; 0: the first. A bug of an upgrade is
	// one of the second.
	Version kv.Version
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
	every, version := uint64(cmp.Or(c.Every, kind.Every)), cmp.Or(c.Version, kv.V1)
	return func(clusterID, nodeID uint64) statemachine.Core {
		if !c.IsBad(clusterID, nodeID) || kind.Upgrade && version == kv.V1 {
			return kv.NewOf(version)
		}
		return kind.newCore(trigger{seed: mix(c.Seed ^ mix(clusterID)), every: every, counts: c.Strikes, version: version})
	}, nil
}

// IsBad reports whether a node has the bug.
func (c Config) IsBad(clusterID, nodeID uint64) bool {
	return c.Size == 0 || nodeID%uint64(c.Size) == mix(c.Seed+mix(clusterID))%uint64(c.Size)
}

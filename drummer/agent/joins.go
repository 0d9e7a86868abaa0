// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"fmt"

	"github.com/lni/dragonboat/v3/config"
)

// joinsDir is in the NodeHost's directory.
const joinsDir = "drummer-observers"

// joins remembers across restarts which nodes on this host joined their cluster
// as observers, whatever became of them.
//
// Dragonboat has to be told again at every restart. A node that replays from
// its log, or finds in a snapshot, that it is an observer must be started as
// one, or the whole NodeHost panics; one that replays only that it is a voter
// must not be, or it never votes. Neither Dragonboat nor a membership says
// which of the two a voter is. So what is remembered here counts more than what
// a Drummer believes that has learnt of the cluster later.
type joins struct{ observers *nodeSet }

func loadJoins(nodehost config.NodeHostConfig) (*joins, error) {
	observers, err := loadNodeSet(nodehost, joinsDir)
	if err != nil {
		return nil, fmt.Errorf("which nodes joined as observers: %w", err)
	}
	return &joins{observers}, nil
}

// asObserver reports whether a node is known to have joined as an observer.
func (j *joins) asObserver(k key) bool { return j.observers.has(k) }

// set remembers a node that joins as an observer, and forgets one that does
// not, or whose data is gone. When it returns nil that survives the loss of
// power. It is not called for the same node at the same time.
func (j *joins) set(k key, observer bool) error {
	if err := j.observers.set(k, observer); err != nil {
		return fmt.Errorf("how node %d of cluster %d joined can't be remembered: %w", k.node, k.cluster, err)
	}
	return nil
}

// SPDX-License-Identifier: Apache-2.0

package server

import (
	"sync/atomic"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule"
)

// crossCheckWindows is how many windows pass between two decisions that look at the
// whole fleet. With a million nodes that takes a fifth of a second.
const crossCheckWindows = 300

// decisions counts what a server has decided.
type decisions struct {
	made        atomic.Uint64
	checked     atomic.Uint64 // that were made again with a look at the whole fleet
	differences atomic.Uint64 // of these, that were another decision
}

// decide decides by what has changed since the last time. Now and then the whole fleet
// is looked at, too: should that lead to another decision, then there is a bug in what
// counts as a change; it is counted, and what holds is the full look.
func (l *leadership) decide(state *db.State) schedule.Plan {
	s := l.server
	plan := l.memory.Decide(state, s.config.Policy, Seed(state))
	s.decisions.made.Add(1)
	if l.window < l.checkAt {
		return plan
	}
	l.checkAt = l.window + crossCheckWindows
	full := schedule.Decide(state, s.config.Policy, Seed(state))
	s.decisions.checked.Add(1)
	if difference := full.Difference(plan); difference != "" {
		s.decisions.differences.Add(1)
		s.log.Error("a decision that went by what had changed was wrong, and is replaced by one that looked at everything", "index", state.Index, "difference", difference)
		l.memory, plan = schedule.Memory{}, full
	}
	return plan
}

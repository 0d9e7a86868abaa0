// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"sort"
	"time"

	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// nameReplicas completes who answered the operations of the history. Clients
// know the host that answered. Which node it ran then, and in which term that
// was, is what the node had announced last.
func (r *Recording) nameReplicas() {
	type place struct {
		host    string
		cluster uint64
	}
	type announced struct {
		at   time.Duration
		node uint64
		term uint64
	}
	all := map[place][]announced{} // in order of time
	timeline.All(r.Timeline, func(at time.Duration, l timeline.LeaderAnnounced) {
		p := place{l.Host, l.Cluster}
		all[p] = append(all[p], announced{at, l.Node, l.Term})
	})
	for i := range r.History.Ops {
		op := &r.History.Ops[i]
		if op.By == nil {
			continue
		}
		on := all[place{world.HostOf(op.By.Host), op.Cluster}]
		later := sort.Search(len(on), func(i int) bool { return int64(on[i].at) > op.Return })
		if later > 0 {
			op.By.Node, op.By.Term = on[later-1].node, on[later-1].term
		}
	}
}

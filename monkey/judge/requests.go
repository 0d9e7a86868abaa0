// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"strings"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/invariant"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
)

// mostMembers is how many new members an operator asks for at most who resizes a
// cluster.
const mostMembers = 15

// requests takes from Drummer's own event log what it asked NodeHosts for, and what
// it had to answer to.
func (r *Recording) requests() *invariant.Requests {
	q := &invariant.Requests{Adding: timeline.RequestName(pb.RequestKind_ADD_OBSERVER), Turns: map[string]int{}, Wanted: map[uint64]int{}}
	at := map[invariant.Request]int{} // where in Asked
	timeline.All(r.Timeline, func(_ time.Duration, d timeline.Decided) {
		switch {
		case d.Event == pb.EventOperationPlanned:
			of := invariant.Request{Kind: d.Request, Cluster: d.Cluster, Node: d.Node, NodeHost: d.NodeHost}
			if _, seen := at[of]; !seen {
				at[of] = len(q.Asked)
				q.Asked = append(q.Asked, of)
			}
			q.Asked[at[of]].Times++
		case strings.HasPrefix(d.Event, "host-"):
			q.Turns[d.NodeHost]++
		case d.Event == pb.EventClusterUpdated:
			q.Wanted[d.Cluster] += mostMembers
		}
	})
	q.Crashes, q.Uncounted = r.crashes()
	return q
}

// crashes is how often faults ended the process of the host that fared worst, and
// whether there were more that nobody counted: an injection tells how many processes
// it ended, on all of its hosts, when it ends, and a run that is stopped ends before.
func (r *Recording) crashes() (worst int, uncounted bool) {
	of := map[string]int{}
	for _, i := range r.Timeline.Began() {
		uncounted = uncounted || !i.Ended && !i.Forever
		for _, h := range i.Hosts {
			of[h] += int((i.Effect.ProcessesEnded + int64(len(i.Hosts)) - 1) / int64(len(i.Hosts)))
			worst = max(worst, of[h])
		}
	}
	return worst, uncounted
}

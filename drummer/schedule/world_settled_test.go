// SPDX-License-Identifier: Apache-2.0

package schedule

import (
	"fmt"
	"strings"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// settled reports whether Drummer is content, and right: in truth too each
// cluster has its number of running voters, where they should live as far as
// there are hosts, and nothing else.
func (w *world) settled() bool {
	for _, x := range Decide(w.state, w.policy, w.seed).Waiting {
		if c := w.state.Clusters.At(x.ClusterID); !w.hopeless(c) && !(few(c) && strings.HasPrefix(x.For, "the next start")) {
			return false
		}
	}
	for c := range w.state.Clusters.Values() {
		if c.Spec == nil {
			continue
		}
		g := w.groups[c.ID]
		if w.hopeless(c) {
			continue
		}
		if g == nil || g.image == nil || len(g.image.Members) != int(c.Spec.Size) {
			return false
		}
		for _, m := range g.image.Members {
			n := w.running(g, m)
			if m.Role != pb.MemberRole_VOTER || n == nil || n.raft != c.RaftDigest && !few(c) {
				return false
			}
		}
	}
	return w.strays() == "" && w.misplaced() == ""
}

// few reports whether a cluster has so few members that none can be restarted.
func few(c *db.Cluster) bool { return c.Spec.GetSize() <= 2 }

// hopeless reports whether a cluster lost a majority of its first members' disks
// before it ever committed anything: Drummer can't know that it did not, so
// this is for people to decide.
func (w *world) hopeless(c *db.Cluster) bool {
	if c == nil {
		return false // deleted
	}
	kept := 0
	for _, m := range c.Initial {
		if n := c.Node(m.NodeID); n != nil && w.state.NodeHost(n) != nil {
			kept++
		}
	}
	return w.groups[c.ID] == nil && len(c.Initial) > 0 && kept < db.Quorum(len(c.Initial)) && !c.Unformed()
}

// strays names a node on a host that is up and which is no member.
func (w *world) strays() string {
	for _, h := range w.sortedHosts() {
		for _, n := range h.sortedNodes() {
			g := w.groups[n.key.cluster]
			if h.up && !w.hopeless(w.state.Clusters.At(n.key.cluster)) && (g == nil || g.image.Member(n.key.node) == nil) {
				return fmt.Sprintf("node %d of cluster %d on %s", n.key.node, n.key.cluster, h.name)
			}
		}
	}
	return ""
}

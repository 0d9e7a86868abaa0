// SPDX-License-Identifier: Apache-2.0

package model

import (
	"fmt"
	"strings"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule"
)

// Settled reports whether Drummer has nothing left to do, and is right: in truth too each
// cluster has its number of running voters, where they should live as far as
// there are hosts, and nothing else.
func (w *Fleet) Settled() bool {
	for _, x := range schedule.Decide(w.State, w.Policy, w.Seed).Waiting() {
		if c := w.State.Clusters.At(x.ClusterID); !w.hopeless(c) && !(few(c) && strings.HasPrefix(x.For, "the next start")) {
			return false
		}
	}
	for c := range w.State.Clusters.Values() {
		if c.Spec == nil {
			continue
		}
		g := w.Groups[c.ID]
		if w.hopeless(c) {
			continue
		}
		if g == nil || g.Image == nil || len(g.Image.Members) != int(c.Spec.Size) {
			return false
		}
		for _, m := range g.Image.Members {
			n := w.running(g, m)
			if m.Role != pb.MemberRole_VOTER || n == nil || n.digest != c.RaftDigest && !few(c) {
				return false
			}
		}
	}
	return w.Strays() == "" && w.Misplaced() == ""
}

// few reports whether a cluster has so few members that none can be restarted.
func few(c *db.Cluster) bool { return c.Spec.GetSize() <= 2 }

// hopeless reports whether a cluster lost a majority of its first members' disks
// before it ever committed anything: Drummer can't know that it did not, so
// this is for people to decide.
func (w *Fleet) hopeless(c *db.Cluster) bool {
	if c == nil {
		return false // deleted
	}
	kept := 0
	for _, m := range c.Initial {
		if n := c.Node(m.NodeID); n != nil && w.State.NodeHost(n) != nil {
			kept++
		}
	}
	return w.Groups[c.ID] == nil && len(c.Initial) > 0 && kept < db.Quorum(len(c.Initial)) && !c.Unformed()
}

// Strays names a node on a host that is up and which is no member.
func (w *Fleet) Strays() string {
	for _, h := range w.SortedHosts() {
		for _, n := range h.SortedNodes() {
			g := w.Groups[n.Key.ClusterID]
			if h.Up && !w.hopeless(w.State.Clusters.At(n.Key.ClusterID)) && (g == nil || g.Image.Member(n.Key.NodeID) == nil) {
				return fmt.Sprintf("node %d of cluster %d on %s", n.Key.NodeID, n.Key.ClusterID, h.Name)
			}
		}
	}
	return ""
}

// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lni/dragonboat/v3/raftpb"
	sm "github.com/lni/dragonboat/v3/statemachine"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule"
	"github.com/drumbeat-raft/drumbeat/drummer/server"
	"github.com/drumbeat-raft/drumbeat/monkey/sim/raftstate"
	"github.com/drumbeat-raft/drumbeat/monkey/sim/simnet"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// Subject is a part of a world to be looked at.
type Subject struct {
	kind    string // cluster, nodehost, drummer or network
	cluster uint64
	host    string
}

// ParseSubject reads "cluster 3", "nodehost nodehost-2", "nodehost 2", "drummer"
// or "network".
func ParseSubject(text string) (Subject, error) {
	words := strings.Fields(text)
	switch {
	case len(words) == 1 && (words[0] == "drummer" || words[0] == "network"):
		return Subject{kind: words[0]}, nil
	case len(words) == 2 && words[0] == "cluster":
		if id, err := strconv.ParseUint(words[1], 10, 64); err == nil {
			return Subject{kind: "cluster", cluster: id}, nil
		}
	case len(words) == 2 && words[0] == "nodehost":
		return Subject{kind: "nodehost", host: "nodehost-" + strings.TrimPrefix(words[1], "nodehost-")}, nil
	}
	return Subject{}, fmt.Errorf(`%q can't be looked at, expected "cluster N", "nodehost N", "drummer" or "network"`, text)
}

// String is what ParseSubject reads.
func (s Subject) String() string {
	switch s.kind {
	case "cluster":
		return fmt.Sprintf("cluster %d", s.cluster)
	case "nodehost":
		return s.kind + " " + s.host
	}
	return s.kind
}

// Look writes what the world holds of a subject, elapsed after the world was
// made. It is for a moment at which no goroutine of the world runs, see
// exact.Look: it takes no lock, waits for nothing and changes nothing.
func (w *World) Look(out io.Writer, of Subject, elapsed time.Duration) error {
	t := &looker{w: w, out: out, elapsed: elapsed}
	fmt.Fprintf(out, "%s\n", of)
	switch of.kind {
	case "cluster":
		t.cluster(of.cluster)
	case "nodehost":
		t.nodeHost(of.host)
	case "drummer":
		t.drummer()
	case "network":
		t.network()
	}
	return t.err
}

// looker writes what it sees.
type looker struct {
	w       *World
	out     io.Writer
	elapsed time.Duration
	err     error
}

func (l *looker) line(depth int, format string, args ...any) {
	if _, err := fmt.Fprintf(l.out, strings.Repeat("  ", depth)+format+"\n", args...); err != nil && l.err == nil {
		l.err = err
	}
}

// raft returns the Raft nodes on a host, none if no process runs there.
func (l *looker) raft(h *host) []raftstate.Details {
	var nodes []raftstate.Details
	var err error
	switch p := h.process.(type) {
	case *nodeHost:
		nodes, err = raftstate.Look(p.dragonboat)
	case *drummerServer:
		nodes, err = raftstate.Look(p.server.NodeHost())
	}
	if err != nil && l.err == nil {
		l.err = err
	}
	return nodes
}

// replica is a Raft node and the host it is on.
type replica struct {
	host string
	raftstate.Details
}

// replicas are those of a cluster, on the hosts of a role.
func (l *looker) replicas(cluster uint64, on func(*host) bool) []replica {
	var all []replica
	for _, h := range l.w.hosts {
		if !on(h) {
			continue
		}
		for _, n := range l.raft(h) {
			if n.ClusterID == cluster {
				all = append(all, replica{h.Name, n})
			}
		}
	}
	return all
}

func (l *looker) cluster(id uint64) {
	replicas := l.replicas(id, func(h *host) bool { return !h.drums() })
	if len(replicas) == 0 {
		l.line(1, "no node of it runs on any host")
	}
	for _, r := range replicas {
		l.replica(1, r)
	}
	l.absent(replicas)
	if name, state := l.drummerState(); state == nil {
		l.line(1, "Drummer: no server holds a state")
	} else {
		l.line(1, "Drummer, as %s has it at index %d", name, state.Index)
		l.drummerOn(state, id)
	}
	l.line(1, "network between the hosts of its nodes")
	hosts := map[string]bool{}
	for _, r := range replicas {
		hosts[r.host] = true
	}
	l.reach(hosts)
	l.links(func(p simnet.LinkPicture) bool { return hosts[p.From] && hosts[p.To] }, fmt.Sprintf("of cluster %d,", id))
}

// absent writes which members of the newest membership do not run.
func (l *looker) absent(replicas []replica) {
	var newest raftpb.Membership
	for _, r := range replicas {
		if r.Members.ConfigChangeId >= newest.ConfigChangeId {
			newest = r.Members
		}
	}
	for _, addresses := range []map[uint64]string{newest.Addresses, newest.Observers, newest.Witnesses} {
		for _, id := range slices.Sorted(maps.Keys(addresses)) {
			if slices.ContainsFunc(replicas, func(r replica) bool { return r.NodeID == id }) {
				continue
			}
			h := l.w.byName[world.HostOf(addresses[id])]
			why := "it does not run there"
			if h != nil && h.process == nil {
				why = "the host's process is down"
			}
			l.line(1, "node %d on %s: %s", id, world.HostOf(addresses[id]), why)
		}
	}
}

// replica writes what a Raft node holds.
func (l *looker) replica(depth int, r replica) {
	l.line(depth, "node %d on %s: %s", r.NodeID, r.host, r.Role)
	depth++
	l.line(depth, "term %d, vote %s, leader %s", r.Term, orNone(r.Vote), orNone(r.LeaderID))
	l.line(depth, "log from %d to %d, commit %d, applied %d", r.FirstIndex, r.LastIndex, r.Committed, r.Applied)
	l.line(depth, "members as of config change %d: voters %s%s%s", r.Members.ConfigChangeId, members(r.Members.Addresses),
		others(", observers", r.Members.Observers), others(", witnesses", r.Members.Witnesses))
	if r.Proposals > 0 || r.Messages > 0 {
		l.line(depth, "%d proposals not completed, %d messages not looked at", r.Proposals, r.Messages)
	}
	if r.Role == "leader" {
		for _, f := range r.Followers {
			if f.NodeID != r.NodeID {
				l.line(depth, "knows node %d to match %d, next %d, %s, %s", f.NodeID, f.Match, f.Next, f.State, heard(f.Active))
			}
		}
	}
	if d, ok := statemachine.Peek(r.Machine); ok {
		l.line(depth, "digest after update %d: %016x.%016x", d.Applied, d.Contents, d.Chain)
	}
}

func heard(active bool) string {
	if active {
		return "heard of"
	}
	return "not heard of since the last check of the quorum"
}

func orNone(node uint64) string {
	if node == 0 {
		return "none"
	}
	return fmt.Sprint(node)
}

// members writes NodeIDs with the hosts they are on.
func members(addresses map[uint64]string) string {
	var parts []string
	for _, id := range slices.Sorted(maps.Keys(addresses)) {
		parts = append(parts, fmt.Sprintf("%d (%s)", id, world.HostOf(addresses[id])))
	}
	return strings.Join(parts, ", ")
}

func others(what string, addresses map[uint64]string) string {
	if len(addresses) == 0 {
		return ""
	}
	return what + " " + members(addresses)
}

func (l *looker) nodeHost(name string) {
	h := l.w.byName[name]
	switch {
	case h == nil:
		l.line(1, "the world has no such host")
		return
	case h.process == nil:
		l.line(1, "its process is down; it was started %d times", h.boots)
	default:
		l.line(1, "its process runs; it was started %d times", h.boots)
	}
	for _, n := range l.raft(h) {
		l.line(1, "cluster %d, node %d: %s", n.ClusterID, n.NodeID, n.RaftNode)
	}
	if _, state := l.drummerState(); state != nil {
		for _, s := range state.Hosts.All() {
			if s.Address() == h.RaftAddress {
				l.line(1, "Drummer: %s", hostStatus(state.HostStatus(s, l.w.policy().Suspect, l.w.policy().TTL)))
			}
		}
	}
	l.line(1, "network")
	l.reach(map[string]bool{name: true})
	l.links(func(p simnet.LinkPicture) bool { return p.From == name || p.To == name }, "")
}

func hostStatus(s *pb.NodeHostStatus) string {
	return fmt.Sprintf("%s, %s, runs %d nodes", s.GetHost().GetNodehostId(), enum(pb.NodeHostState_name, s.GetState()), s.GetNodes())
}

// drummerState is the newest state of DrummerDB that a server holds, and where.
func (l *looker) drummerState() (server string, state *db.State) {
	for _, h := range l.w.hosts {
		if s := l.stateOn(h); s != nil && (state == nil || s.Index > state.Index) {
			server, state = h.Name, s
		}
	}
	return server, state
}

// stateOn is DrummerDB's state on a host; nil if there is none.
func (l *looker) stateOn(h *host) *db.State {
	if !h.drums() {
		return nil
	}
	for _, n := range l.raft(h) {
		machine, ok := n.Machine.(sm.IConcurrentStateMachine)
		if n.ClusterID != server.ClusterID || !ok {
			continue
		}
		if answer, err := machine.Lookup(db.GetState{}); err == nil {
			return answer.(*db.State)
		}
	}
	return nil
}

// drummerOn writes what Drummer holds of a cluster.
func (l *looker) drummerOn(state *db.State, id uint64) {
	c := state.Clusters.At(id)
	if c == nil {
		l.line(2, "it knows no cluster %d", id)
		return
	}
	loc := state.Location(c, l.w.policy().TTL)
	l.line(2, "wanted size %d, config change %d, follows leader %s in term %d, available: %t",
		c.Spec.GetSize(), loc.GetConfigChangeId(), orNone(c.Leader), c.LeaderTerm, loc.GetAvailable())
	for _, m := range loc.GetMembers() {
		running := "does not run"
		if m.GetRunning() {
			running = "runs"
		}
		l.line(2, "node %d on %s: %s, %s", m.GetNodeId(), world.HostOf(m.GetRaftAddress()), enum(pb.MemberRole_name, m.GetRole()), running)
	}
	for _, op := range state.Operations.All() {
		if op.GetRequest().GetClusterId() == id {
			l.operation(2, op)
		}
	}
	plan := schedule.Decide(state, l.w.policy(), server.Seed(state))
	for _, op := range plan.Operations {
		if op.GetRequest().GetClusterId() == id {
			l.line(2, "would ask next: %s, because %s", request(op), op.GetReason())
		}
	}
	for _, wait := range plan.Waiting() {
		if wait.ClusterID == id {
			l.line(2, "waits: %s", wait.For)
		}
	}
	for _, ev := range lastEvents(state, id) {
		l.line(2, "event %d: %s %s", ev.GetSequence(), ev.GetKind(), ev.GetText())
	}
}

func (l *looker) operation(depth int, op *pb.Operation) {
	l.line(depth, "pending operation %d: %s, because %s (decided at index %d, attempt %d)",
		op.GetId(), request(op), op.GetReason(), op.GetDecidedAtIndex(), op.GetAttempt()+1)
}

func request(op *pb.Operation) string {
	r := op.GetRequest()
	return fmt.Sprintf("%s node %d of cluster %d", enum(pb.RequestKind_name, r.GetKind()), r.GetNodeId(), r.GetClusterId())
}

// enum is the name of a constant of the wire API. Its own String method has locks
// that it shares with the world.
func enum[T ~int32](names map[int32]string, value T) string {
	return strings.ToLower(strings.ReplaceAll(names[int32(value)], "_", " "))
}

// shownEvents is how many of Drummer's last events are shown.
const shownEvents = 5

// lastEvents are Drummer's last events on a cluster; 0: on any.
func lastEvents(state *db.State, cluster uint64) []*pb.Event {
	var last []*pb.Event
	for _, ev := range slices.Backward(state.Events) {
		if len(last) < shownEvents && (cluster == 0 || ev.GetClusterId() == cluster) {
			last = append(last, ev)
		}
	}
	slices.Reverse(last)
	return last
}

func (l *looker) drummer() {
	for _, h := range l.w.hosts {
		if !h.drums() {
			continue
		}
		p, ok := h.process.(*drummerServer)
		if !ok {
			l.line(1, "%s: its process is down", h.Name)
			continue
		}
		if term, leads := p.server.Leading(); leads {
			l.line(1, "%s: leads and may act in term %d", h.Name, term)
		} else {
			l.line(1, "%s: does not lead", h.Name)
		}
		for _, n := range l.raft(h) {
			l.replica(2, replica{h.Name, n})
		}
	}
	name, state := l.drummerState()
	if state == nil {
		l.line(1, "no server holds a state")
		return
	}
	l.line(1, "DrummerDB as %s has it at index %d: %d hosts, %d clusters, %d operations", name, state.Index,
		state.Hosts.Len(), state.Clusters.Len(), state.Operations.Len())
	for _, h := range state.Hosts.All() {
		l.line(2, "host %s: %s", world.HostOf(h.Address()), hostStatus(state.HostStatus(h, l.w.policy().Suspect, l.w.policy().TTL)))
	}
	for _, op := range state.Operations.All() {
		l.operation(2, op)
	}
	plan := schedule.Decide(state, l.w.policy(), server.Seed(state))
	for _, op := range plan.Operations {
		l.line(2, "would ask next: %s, because %s", request(op), op.GetReason())
	}
	for _, wait := range plan.Waiting() {
		l.line(2, "cluster %d waits: %s", wait.ClusterID, wait.For)
	}
	for _, ev := range lastEvents(state, 0) {
		l.line(2, "event %d: %s %s", ev.GetSequence(), ev.GetKind(), ev.GetText())
	}
}

func (l *looker) network() {
	l.reach(nil)
	l.links(func(simnet.LinkPicture) bool { return true }, "")
}

// reach writes whom hosts reach; nil: all hosts.
func (l *looker) reach(hosts map[string]bool) {
	for _, h := range l.w.net.Look(l.elapsed).Hosts {
		if hosts != nil && !hosts[h.Name] {
			continue
		}
		state := ""
		switch {
		case h.Silent:
			state = " (without power)"
		case !h.Alive:
			state = " (its process is dead)"
		}
		if len(h.Cut) == 0 {
			l.line(2, "%s%s reaches everybody", h.Name, state)
		} else {
			l.line(2, "%s%s reaches %s, and not %s", h.Name, state, cmp.Or(strings.Join(h.Reaches, ", "), "nobody"), strings.Join(h.Cut, ", "))
		}
	}
}

// links writes what is wrong with links and what is under way on them; of Raft
// messages those that have a text in them.
func (l *looker) links(wanted func(simnet.LinkPicture) bool, about string) {
	for _, p := range l.w.net.Look(l.elapsed).Links {
		if !wanted(p) {
			continue
		}
		l.line(2, "%s → %s: %s, %d bytes of streams under way, %d held back", p.From, p.To, p.Link, p.Flying, p.Held)
		for _, q := range p.Queued {
			for _, m := range q.Messages {
				if strings.Contains(m, about) {
					l.line(3, "in %s: %s", q.In, m)
				}
			}
		}
	}
}

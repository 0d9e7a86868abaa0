// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	"github.com/drumbeat-raft/drumbeat/drummer/db/ordmap"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule"
)

const ttl = 15

// fleet is a cluster of three on four hosts, which all are well, as real commands make it.
func fleet(t *testing.T) *db.State {
	t.Helper()
	s := db.NewState()
	apply := func(cmd *pb.Command) { s = applied(t, s, cmd) }
	apply(&pb.Command{Body: &pb.Command_SetDeployment{SetDeployment: &pb.SetDeployment{DeploymentId: 1, DeploymentEpoch: 1}}})
	apply(&pb.Command{Body: &pb.Command_SetVersion{SetVersion: &pb.SetVersion{Version: 2}}})
	apply(&pb.Command{Body: &pb.Command_TakeLeadership{TakeLeadership: &pb.TakeLeadership{Term: 2, ServerNodeId: 1}}})
	apply(&pb.Command{Body: &pb.Command_SetLaunched{SetLaunched: &pb.SetLaunched{}}})
	var reports []*pb.HostReport
	for i := range 4 {
		reports = append(reports, &pb.HostReport{Host: info(i + 1), Full: true})
	}
	apply(&pb.Command{Body: &pb.Command_Reports{Reports: &pb.HostReports{Term: 2, Reports: reports}}})
	apply(&pb.Command{Body: &pb.Command_DefineClusters{DefineClusters: &pb.DefineClusters{Specs: []*pb.ClusterSpec{{ClusterId: 1, Application: "kv", Size: 3}}}}})
	members := map[uint64]string{1: "h1:1", 2: "h2:1", 3: "h3:1"}
	var ops []*pb.Operation
	for id := uint64(1); id <= 3; id++ {
		ops = append(ops, &pb.Operation{Request: &pb.Request{Kind: pb.RequestKind_START_NODE, ClusterId: 1, NodeId: id, NodehostId: fmt.Sprint("h", id), Join: pb.JoinMode_INITIAL, InitialMembers: members},
			DecidedAtTick: s.Tick, DeadlineTick: s.Tick + operationDeadline, DecidedAtIndex: s.Index})
	}
	apply(&pb.Command{Body: &pb.Command_Schedule{Schedule: &pb.Schedule{Term: 2, DecidedAtIndex: s.Index, Operations: ops}}})
	reports = nil
	for id := uint64(1); id <= 3; id++ {
		reports = append(reports, &pb.HostReport{Host: info(int(id)), Nodes: []*pb.NodeReport{{ClusterId: 1, NodeId: id, Running: true, Role: pb.MemberRole_VOTER, LeaderId: 1, Term: 2,
			Membership: &pb.Membership{ClusterId: 1, ConfigChangeId: 3, Voters: members}}}})
	}
	apply(&pb.Command{Body: &pb.Command_Reports{Reports: &pb.HostReports{Term: 2, Reports: reports}}})
	return s
}

func info(n int) *pb.NodeHostInfo {
	return &pb.NodeHostInfo{NodehostId: fmt.Sprint("h", n), RaftAddress: fmt.Sprint("h", n, ":1"), ApiAddress: fmt.Sprint("h", n, ":2")}
}

func applied(t *testing.T, s *db.State, cmd *pb.Command) *db.State {
	t.Helper()
	data, err := proto.Marshal(cmd)
	require.NoError(t, err)
	next, result := db.Apply(s, s.Index+1, data)
	require.Equal(t, pb.CommandCode_APPLIED, result.GetCode(), result.GetDetail())
	return next
}

// auditor has looked at a state, with the truth about its hosts.
func auditor(s *db.State) (*Auditor, Truth) {
	policy := schedule.DefaultPolicy()
	a := New(ttl, policy, func(*db.State) uint64 { return 1 }, 0)
	truth := Truth{Leader: "d1"}
	members := map[uint64]string{1: "h1:1", 2: "h2:1", 3: "h3:1"}
	for i := range 4 {
		h := Host{ID: fmt.Sprint("h", i+1), Address: fmt.Sprint("h", i+1, ":1"), Server: "d1", Nodes: map[Key]Node{}}
		if i < 3 {
			h.Nodes[Key{1, uint64(i + 1)}] = Node{Leader: 1, CCID: 3, Voters: members}
		}
		truth.Hosts = append(truth.Hosts, h)
	}
	a.Look(0, servers(s), truth)
	return a, truth
}

// servers is one that has applied some states.
func servers(states ...*db.State) []Server {
	last := states[len(states)-1]
	return []Server{{Host: "d1", State: last, At: func(index uint64) *db.State {
		if i := slices.IndexFunc(states, func(s *db.State) bool { return s.Index == index }); i >= 0 {
			return states[i]
		}
		return nil
	}}}
}

// found are the breaches of one step.
func found(t *testing.T, a *Auditor) string {
	t.Helper()
	text := ""
	for _, b := range a.Record().Breaches {
		text += b.Check + ": " + b.Text + "\n"
	}
	return text
}

func TestNothingIsWrongWithAFleetThatIsWell(t *testing.T) {
	s := fleet(t)
	a, truth := auditor(s)
	for i := range 60 {
		next := applied(t, s, &pb.Command{Body: &pb.Command_Tick{Tick: &pb.Tick{Term: 2, TimeToLive: ttl}}})
		a.Look(time.Duration(i+1)*time.Second, servers(s, next), truth)
		s = next
	}
	require.Empty(t, found(t, a))
	require.Equal(t, 60, a.Record().States)
}

func TestAStateThatChangesIsFound(t *testing.T) {
	s := fleet(t)
	a, truth := auditor(s)
	s.Clusters.At(1).Replicas[0].Running = false
	a.Look(stateEvery, servers(s), truth)
	require.Contains(t, found(t, a), "soundness: DrummerDB at index")
	require.Contains(t, found(t, a), "was changed after it was published")
}

// TestStepsThatAreWrong has each do something that Drummer must not do, in one step.
func TestStepsThatAreWrong(t *testing.T) {
	for name, x := range map[string]struct {
		step func(s *db.State)
		want string
	}{
		"a clock that goes back": {func(s *db.State) { s.Term-- }, "soundness: DrummerDB at index 9: the term went from 2 to 1"},
		"NodeIDs that begin anew": {func(s *db.State) {
			change(s, func(c *db.Cluster) { c.NextNodeID = 3 })
		}, "cluster 1 had NodeIDs up to 3, and would be given them from 3 on"},
		"a NodeID given twice": {func(s *db.State) {
			change(s, func(c *db.Cluster) { c.Nodes[0].Address = "h4:1" })
		}, "NodeID 1 of cluster 1 was given to a node at h1:1, and again to one at h4:1"},
		"a death that nobody tells of": {func(s *db.State) {
			h := *s.Hosts.At("h1")
			h.Dead = true
			s.Hosts = s.Hosts.Set("h1", &h)
		}, "event_log: host h1 is dead, and no event tells of it"},
		"an event too many": {func(s *db.State) {
			s.Events = append(slices.Clone(s.Events), &pb.Event{Kind: pb.EventPaused, Sequence: s.NextEventSequence + 1, DbIndex: s.Index, Text: "?"})
			s.NextEventSequence++
		}, "comes where number"},
		"an operation that nobody tells of": {func(s *db.State) { operate(s, pb.RequestKind_REMOVE_NODE, 3, "h1", "") }, "and no event tells that it was planned"},
		"a voter that goes first":           {func(s *db.State) { operate(s, pb.RequestKind_REMOVE_NODE, 3, "h1", "") }, "removes one of 3 voters of 3 before its successor has taken over"},
		"a member that nobody needs":        {func(s *db.State) { operate(s, pb.RequestKind_ADD_OBSERVER, 4, "h1", "h4:1") }, "adds a member though 3 of 3 voters stay"},
		"a host that has a member":          {func(s *db.State) { operate(s, pb.RequestKind_ADD_OBSERVER, 4, "h1", "h2:1") }, "places a member on a host that has one"},
		"a proposer without a voter":        {func(s *db.State) { operate(s, pb.RequestKind_ADD_OBSERVER, 4, "h4", "h4:1") }, "is proposed by a host of which no voter works"},
		"a promotion of nobody":             {func(s *db.State) { operate(s, pb.RequestKind_PROMOTE, 3, "h1", "") }, "is about no observer"},
		"a member that is destroyed":        {func(s *db.State) { operate(s, pb.RequestKind_DESTROY_NODE, 3, "h3", "") }, "destroys a member"},
		"a node that runs is started":       {func(s *db.State) { operate(s, pb.RequestKind_START_NODE, 3, "h3", "") }, "starts a node that runs"},
	} {
		t.Run(name, func(t *testing.T) {
			s := fleet(t)
			a, truth := auditor(s)
			next := *s
			next.Index++
			x.step(&next)
			a.Look(time.Second, servers(s, &next), truth)
			require.Contains(t, found(t, a), x.want)
		})
	}
}

func change(s *db.State, do func(c *db.Cluster)) {
	c := *s.Clusters.At(1)
	c.Nodes = slices.Clone(c.Nodes)
	do(&c)
	s.Clusters = s.Clusters.Set(1, &c)
}

func operate(s *db.State, kind pb.RequestKind, node uint64, host, target string) {
	op := &pb.Operation{Id: s.NextOperationID, DecidedAtIndex: s.Index - 1, DecidedAtTick: s.Tick, DeadlineTick: s.Tick + operationDeadline,
		Request: &pb.Request{Kind: kind, ClusterId: 1, NodeId: node, NodehostId: host, TargetAddress: target, ConfigChangeId: 3, LeaderTerm: 2}}
	s.Operations = ordmap.Map[uint64, *pb.Operation]{}.Set(op.Id, op)
	s.NextOperationID++
}

// TestWhatDrummerDoesNotKnowIsFound changes the truth, and nobody tells Drummer.
func TestWhatDrummerDoesNotKnowIsFound(t *testing.T) {
	for name, x := range map[string]struct {
		change func(truth *Truth)
		want   string
	}{
		"a node that does not run": {func(tr *Truth) { delete(tr.Hosts[0].Nodes, Key{1, 1}) }, "node 1 of cluster 1 on host h1 at h1:1 runs: false"},
		"a node that nobody knows": {func(tr *Truth) { tr.Hosts[3].Nodes[Key{1, 9}] = Node{} }, "node 9 of cluster 1 on host h4 at h4:1 runs: true"},
		"another leader":           {func(tr *Truth) { tr.Hosts[1].Nodes[Key{1, 2}] = Node{Leader: 3} }, "follows node 3; DrummerDB has said"},
		"a disk that holds no log": {func(tr *Truth) { tr.Hosts[0].Stored = map[Key]bool{} }, "has what is left of node 1 of cluster 1, and nothing is there"},
		"a host that is down":      {func(tr *Truth) { tr.Hosts = tr.Hosts[:3] }, "host h4 at h4:1 is down for"},
		"a membership that is newer": {func(tr *Truth) {
			tr.Hosts[0].Nodes[Key{1, 1}] = Node{Leader: 1, CCID: 7, Voters: map[uint64]string{1: "h1:1", 2: "h2:1"}}
		}, "at config change 7 since"},
		"a host that nobody hears of": {func(tr *Truth) { tr.Hosts[3].ID = "h9" }, "host h9 at h4:1 is attached to Drummer's leader"},
	} {
		t.Run(name, func(t *testing.T) {
			s := fleet(t)
			a, truth := auditor(s)
			x.change(&truth)
			for i := range 80 {
				next := applied(t, s, &pb.Command{Body: &pb.Command_Tick{Tick: &pb.Tick{Term: 2, TimeToLive: ttl}}})
				a.Look(time.Duration(i+1)*time.Second, servers(s, next), truth)
				s = next
			}
			require.Contains(t, found(t, a), "awareness: ")
			require.Contains(t, found(t, a), x.want)
		})
	}
}

// What takes time is not judged while something slows everything down, nor soon after.
func TestNothingIsLateWhereAllIsSlow(t *testing.T) {
	for name, x := range map[string]struct {
		slack    time.Duration
		hampered func(second int) bool
		last     int // at which nothing is late yet
	}{
		"fast":                 {0, func(int) bool { return false }, 38},
		"slow disks":           {30 * time.Second, func(int) bool { return false }, 98},
		"links that were slow": {0, func(second int) bool { return second < 50 }, 87},
	} {
		t.Run(name, func(t *testing.T) {
			s := fleet(t)
			a, truth := auditor(s)
			a.slack = x.slack
			delete(truth.Hosts[0].Nodes, Key{1, 1})
			second := 0
			for ; second < 200 && found(t, a) == ""; second++ {
				next := applied(t, s, &pb.Command{Body: &pb.Command_Tick{Tick: &pb.Tick{Term: 2, TimeToLive: ttl}}})
				truth.Hampered = x.hampered(second)
				a.Look(time.Duration(second+1)*time.Second, servers(s, next), truth)
				s = next
			}
			require.Contains(t, found(t, a), "runs: false")
			require.InDelta(t, x.last+3, second, 3)
		})
	}
}

func TestAnOperationThatDoesNotReachItsHostIsFound(t *testing.T) {
	s := fleet(t)
	a, truth := auditor(s)
	for i := range 20 {
		next := applied(t, s, &pb.Command{Body: &pb.Command_Tick{Tick: &pb.Tick{Term: 2, TimeToLive: ttl}}})
		if i == 10 {
			held := *next
			operate(&held, pb.RequestKind_REMOVE_NODE, 3, "h1", "")
			next = &held
		}
		a.Look(time.Duration(i+1)*time.Second, servers(s, next), truth)
		s = next
	}
	require.Contains(t, found(t, a), "was not asked for it")
}

// A change that is said to be done shows, once the cluster has had a leader for long: a
// host reads the membership linearizably before it reports it.
func TestAChangeThatDoesNotShowIsFound(t *testing.T) {
	for name, led := range map[string]bool{"led": true, "without a leader": false} {
		t.Run(name, func(t *testing.T) {
			s := fleet(t)
			a, truth := auditor(s)
			if !led {
				n := truth.Hosts[2].Nodes[Key{1, 3}]
				n.Leader = 0
				truth.Hosts[2].Nodes[Key{1, 3}] = n
			}
			planned := *s
			planned.Index++
			operate(&planned, pb.RequestKind_REMOVE_NODE, 3, "h1", "")
			id := planned.NextOperationID - 1
			ended := planned
			ended.Index++
			ended.Operations = ordmap.Map[uint64, *pb.Operation]{}
			ended.Events = append(slices.Clone(s.Events), &pb.Event{Kind: pb.EventOperationEnded, Sequence: s.NextEventSequence, DbIndex: ended.Index, ClusterId: 1, OperationId: id, Code: pb.ResultCode_DONE})
			ended.NextEventSequence++
			a.Look(time.Second, servers(&planned), truth)
			a.Look(2*time.Second, servers(&planned, &ended), truth)
			for second := range 60 {
				a.Look(time.Duration(second+3)*time.Second, servers(&ended), truth)
			}
			require.Equal(t, led, strings.Contains(found(t, a), "and 20s later no membership shows it"), found(t, a))
		})
	}
}

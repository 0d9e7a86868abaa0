// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lni/dragonboat/v3/config"
	"github.com/lni/goutils/vfs"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/raftspec"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/testkit"
)

func startRequest(cluster, node uint64, join pb.JoinMode) *pb.Request {
	return &pb.Request{
		Kind: pb.RequestKind_START_NODE, ClusterId: cluster, NodeId: node, Join: join,
		Spec: &pb.ClusterSpec{ClusterId: cluster, Application: "kv", Size: 1},
	}
}

func TestHelloSaysWhoTheHostIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, 1, 1)
		h := s.hosts[0]
		s.until("attached", func() bool { return h.agent.Attached() == "drummer-0" })
		var hello *pb.Hello
		s.drummers[0].locked(func() { hello = s.drummers[0].hellos[0] })
		require.Equal(t, h.nodehost.ID(), hello.GetHost().GetNodehostId())
		require.Equal(t, h.address, hello.GetHost().GetRaftAddress())
		require.Equal(t, "api of "+h.address, hello.GetHost().GetApiAddress())
		require.Equal(t, "west", hello.GetHost().GetRegion())
		require.Equal(t, map[string]string{"rack": "7"}, hello.GetHost().GetLabels())
		require.Zero(t, hello.GetDeploymentId())
		time.Sleep(10 * time.Second)
		s.drummers[0].locked(func() { require.GreaterOrEqual(t, s.drummers[0].hosts[h.nodehost.ID()].beats, 9) })
	})
}

// The whole life of a replacement: observer added, started, caught up,
// promoted, the old member removed, its data destroyed; and each step asked for
// twice, as after a lost answer.
func TestReplacementObserverFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, 1, 3)
		a, b, c := s.hosts[0], s.hosts[1], s.hosts[2]
		s.startMember(1, a, b)
		ccid := s.drummers[0].report(a.nodehost.ID(), key{1, 1}).GetMembership().GetConfigChangeId()

		add := func() *pb.Request {
			return &pb.Request{Kind: pb.RequestKind_ADD_OBSERVER, ClusterId: 1, NodeId: 3, TargetAddress: c.address, ConfigChangeId: ccid}
		}
		added := s.must(a, add())
		require.Equal(t, map[uint64]string{3: c.address}, added.GetMembership().GetObservers())
		require.Equal(t, added.GetMembership().GetConfigChangeId(), s.must(a, add()).GetMembership().GetConfigChangeId())

		s.must(c, startRequest(1, 3, pb.JoinMode_JOIN_AS_OBSERVER))
		s.must(c, startRequest(1, 3, pb.JoinMode_JOIN_AS_OBSERVER))
		s.until("the observer has caught up", func() bool {
			r := s.drummers[0].report(c.nodehost.ID(), key{1, 3})
			return r.GetRole() == pb.MemberRole_OBSERVER && r.GetCaughtUp()
		})

		ccid = added.GetMembership().GetConfigChangeId()
		promote := func() *pb.Request {
			return &pb.Request{Kind: pb.RequestKind_PROMOTE, ClusterId: 1, NodeId: 3, TargetAddress: c.address, ConfigChangeId: ccid}
		}
		promoted := s.must(a, promote())
		require.Len(t, promoted.GetMembership().GetVoters(), 3)
		s.must(b, promote())
		s.until("it reports itself a voter", func() bool {
			r := s.drummers[0].report(c.nodehost.ID(), key{1, 3})
			return r.GetRole() == pb.MemberRole_VOTER && !r.GetCaughtUp()
		})

		ccid = promoted.GetMembership().GetConfigChangeId()
		remove := func() *pb.Request {
			return &pb.Request{Kind: pb.RequestKind_REMOVE_NODE, ClusterId: 1, NodeId: 2, ConfigChangeId: ccid}
		}
		removed := s.must(a, remove())
		require.Equal(t, []uint64{2}, removed.GetMembership().GetRemoved())
		s.must(c, remove())

		destroy := func() *pb.Request {
			return &pb.Request{Kind: pb.RequestKind_DESTROY_NODE, ClusterId: 1, NodeId: 2}
		}
		s.must(b, destroy())
		s.must(b, destroy())
		s.until("it is reported gone", func() bool { return s.drummers[0].report(b.nodehost.ID(), key{1, 2}) == nil })
		require.False(t, b.nodehost.HasNodeInfo(1, 2))

		again := s.ask(b, startRequest(1, 2, pb.JoinMode_JOIN_AS_OBSERVER))
		require.Equal(t, pb.ResultCode_REFUSED, again.GetCode(), "a removed NodeID never comes back: %s", again.GetDetail())
	})
}

// A node is restarted for another Raft configuration, once, and keeps what it
// has; one that it can't run with is refused before anything is stopped.
func TestRestartForAnotherRaftConfiguration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, 1, 1)
		a := s.hosts[0]
		s.startMember(1, a)
		digest := func() uint64 { return s.drummers[0].report(a.nodehost.ID(), key{1, 1}).GetRaftDigest() }
		require.Equal(t, raftspec.Digest(nil), digest())
		session := a.nodehost.GetNoOPSession(1)
		propose := func(value string) uint64 {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			result, err := a.nodehost.SyncPropose(ctx, session, testkit.Put("k", value))
			require.NoError(t, err)
			return result.Value
		}
		require.Equal(t, uint64(1), propose("before"))

		restart := startRequest(1, 1, pb.JoinMode_INITIAL)
		restart.InitialMembers = map[uint64]string{1: a.address}
		restart.Restart = true
		restart.Spec.Raft = &pb.RaftConfig{ElectionRtt: 2}
		require.Equal(t, pb.ResultCode_REFUSED, s.ask(a, restart).GetCode())
		require.Equal(t, uint64(2), propose("still there"))

		raft := &pb.RaftConfig{ElectionRtt: 20, HeartbeatRtt: 2}
		restart = proto.Clone(restart).(*pb.Request)
		restart.Spec.Raft = raft
		s.must(a, restart)
		s.until("it reports what it runs with", func() bool { return digest() == raftspec.Digest(raft) })
		require.Equal(t, uint64(3), propose("after"), "it has replayed its log")
		require.Contains(t, s.must(a, proto.Clone(restart).(*pb.Request)).GetDetail(), "it runs already")
	})
}

// promoted is a cluster of which node 2, on the second host, joined as an
// observer and became a voter.
func (s *stage) promoted(join func(b *testHost)) {
	s.t.Helper()
	a, b := s.hosts[0], s.hosts[1]
	s.startMember(1, a)
	ccid := s.drummers[0].report(a.nodehost.ID(), key{1, 1}).GetMembership().GetConfigChangeId()
	added := s.must(a, &pb.Request{Kind: pb.RequestKind_ADD_OBSERVER, ClusterId: 1, NodeId: 2, TargetAddress: b.address, ConfigChangeId: ccid})
	join(b)
	s.until("it is an observer", func() bool {
		return s.drummers[0].report(b.nodehost.ID(), key{1, 2}).GetRole() == pb.MemberRole_OBSERVER
	})
	s.must(a, &pb.Request{Kind: pb.RequestKind_PROMOTE, ClusterId: 1, NodeId: 2, TargetAddress: b.address,
		ConfigChangeId: added.GetMembership().GetConfigChangeId()})
	s.until("it is a voter", func() bool {
		return s.drummers[0].report(b.nodehost.ID(), key{1, 2}).GetRole() == pb.MemberRole_VOTER
	})
}

// A node that joined as an observer is started as one ever after, also when it
// was promoted meanwhile; Dragonboat panics otherwise. A Drummer that has met it
// as a voter believes it to be an initial member: the host knows better, also
// when somebody else has started it at first.
func TestPromotedObserverRestarts(t *testing.T) {
	ask := func(s *stage) func(*testHost) {
		return func(b *testHost) { s.must(b, startRequest(1, 2, pb.JoinMode_JOIN_AS_OBSERVER)) }
	}
	byHand := func(s *stage) func(*testHost) {
		return func(b *testHost) {
			raft := testkit.RaftConfig(1, 2)
			raft.IsObserver = true
			require.NoError(s.t, b.nodehost.StartCluster(nil, true, testkit.NewKV, raft))
		}
	}
	for name, tc := range map[string]struct {
		join  func(*stage) func(*testHost)
		again pb.JoinMode
	}{
		"as it joined":                       {ask, pb.JoinMode_JOIN_AS_OBSERVER},
		"as an initial member":               {ask, pb.JoinMode_INITIAL},
		"by hand, then as an initial member": {byHand, pb.JoinMode_INITIAL},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t, 1, 2)
				a, b := s.hosts[0], s.hosts[1]
				s.promoted(tc.join(s))
				s.shutdown(b)
				s.boot(b)
				s.until("its log is reported, not running", func() bool {
					r := s.drummers[0].report(b.nodehost.ID(), key{1, 2})
					return r != nil && !r.GetRunning()
				})
				time.Sleep(5 * time.Second)
				require.False(t, s.drummers[0].report(b.nodehost.ID(), key{1, 2}).GetRunning(), "the agent starts nothing by itself")
				req := startRequest(1, 2, tc.again)
				req.InitialMembers = map[uint64]string{1: a.address, 2: b.address}
				s.must(b, req)
				s.until("it is a voter again", func() bool {
					r := s.drummers[0].report(b.nodehost.ID(), key{1, 2})
					return r.GetRunning() && r.GetRole() == pb.MemberRole_VOTER && r.GetLeaderId() != 0
				})
				s.must(a, &pb.Request{Kind: pb.RequestKind_TRANSFER_LEADER, ClusterId: 1, NodeId: 2})
			})
		})
	}
}

func TestHowANodeJoinedEndsWithItsData(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, 1, 2)
		b := s.hosts[1]
		s.promoted(func(b *testHost) { s.must(b, startRequest(1, 2, pb.JoinMode_JOIN_AS_OBSERVER)) })
		files := func() []string {
			names, err := b.disk.List("/data/" + joinsDir)
			require.NoError(t, err)
			return names
		}
		require.Equal(t, []string{"1-2"}, files())
		s.must(b, &pb.Request{Kind: pb.RequestKind_DESTROY_NODE, ClusterId: 1, NodeId: 2, ClusterDeleted: true})
		require.Empty(t, files())
		require.False(t, b.agent.joins.asObserver(key{1, 2}))
	})
}

func TestRequestsOfOthersAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, 1, 1)
		h := s.hosts[0]
		good := func() *pb.Request {
			req := startRequest(1, 1, pb.JoinMode_INITIAL)
			req.InitialMembers = map[uint64]string{1: h.address}
			return req
		}
		for name, spoil := range map[string]func(*pb.Request){
			"for another NodeHost":       func(r *pb.Request) { r.NodehostId = "nhid-1" },
			"of another deployment":      func(r *pb.Request) { r.DeploymentId = 8 },
			"without a cluster":          func(r *pb.Request) { r.ClusterId = 0 },
			"without a node":             func(r *pb.Request) { r.NodeId = 0 },
			"of a kind of the future":    func(r *pb.Request) { r.Kind = 99 },
			"of no kind":                 func(r *pb.Request) { r.Kind = 0 },
			"for an unknown application": func(r *pb.Request) { r.Spec.Application = "ledger" },
			"without a spec":             func(r *pb.Request) { r.Spec = nil },
			"with a bad Raft config":     func(r *pb.Request) { r.Spec.Raft = &pb.RaftConfig{ElectionRtt: 2, HeartbeatRtt: 1} },
			"for another's address":      func(r *pb.Request) { r.InitialMembers = map[uint64]string{1: "elsewhere"} },
			"without members":            func(r *pb.Request) { r.InitialMembers = nil },
			"without a join mode":        func(r *pb.Request) { r.Join = 0 },
		} {
			req := good()
			spoil(req)
			require.Equal(t, pb.ResultCode_REFUSED, s.ask(h, req).GetCode(), name)
			s.drummers[0].locked(func() { require.Empty(t, s.drummers[0].hosts[h.nodehost.ID()].reports, name) })
		}
		s.must(h, good())
		old := good()
		old.LeaderTerm = 4
		require.Equal(t, pb.ResultCode_REFUSED, s.ask(h, old).GetCode(), "of an older term than seen")
	})
}

func TestStaleConfigChangeIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, 1, 1)
		h := s.hosts[0]
		s.startMember(1, h)
		result := s.ask(h, &pb.Request{Kind: pb.RequestKind_ADD_OBSERVER, ClusterId: 1, NodeId: 2, TargetAddress: "b", ConfigChangeId: 99})
		require.Equal(t, pb.ResultCode_REFUSED, result.GetCode())
		require.NotZero(t, result.GetMembership().GetConfigChangeId(), "the fresh membership comes with the refusal")
		require.Empty(t, result.GetMembership().GetObservers())
	})
}

func TestConfigChangeOfAnUnknownClusterFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, 1, 1)
		result := s.ask(s.hosts[0], &pb.Request{Kind: pb.RequestKind_REMOVE_NODE, ClusterId: 9, NodeId: 2, ConfigChangeId: 3})
		require.Equal(t, pb.ResultCode_FAILED, result.GetCode())
	})
}

func TestMemberIsNotDestroyed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, 1, 1)
		h := s.hosts[0]
		s.startMember(1, h)
		result := s.ask(h, &pb.Request{Kind: pb.RequestKind_DESTROY_NODE, ClusterId: 1, NodeId: 1})
		require.Equal(t, pb.ResultCode_REFUSED, result.GetCode())
		require.True(t, s.drummers[0].report(h.nodehost.ID(), key{1, 1}).GetRunning())
	})
}

func TestSecondNodeOfAClusterWaitsForTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, 1, 1)
		h := s.hosts[0]
		s.startMember(1, h)
		result := s.ask(h, startRequest(1, 2, pb.JoinMode_JOIN_AS_OBSERVER))
		require.Equal(t, pb.ResultCode_FAILED, result.GetCode())
	})
}

func TestTransferLeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, 1, 3)
		s.startMember(1, s.hosts...)
		for _, target := range []uint64{1, 2, 3} {
			s.must(s.hosts[0], &pb.Request{Kind: pb.RequestKind_TRANSFER_LEADER, ClusterId: 1, NodeId: target})
			s.until("all report it with the same term", func() bool {
				terms := map[uint64]bool{}
				for i, h := range s.hosts {
					r := s.drummers[0].report(h.nodehost.ID(), key{1, uint64(i + 1)})
					if r.GetLeaderId() != target {
						return false
					}
					terms[r.GetTerm()] = true
				}
				return len(terms) == 1 && !terms[0]
			})
		}
	})
}

// A replica that loses its leader says so.
func TestALostLeaderIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, 1, 2)
		a, b := s.hosts[0], s.hosts[1]
		s.startMember(1, a, b)
		leader := func() *pb.NodeReport { return s.drummers[0].report(a.nodehost.ID(), key{1, 1}) }
		require.NotZero(t, leader().GetTerm())
		s.shutdown(b)
		start := time.Now()
		s.until("node 1 has no leader", func() bool { return leader().GetLeaderId() == 0 && leader().GetTerm() == 0 })
		require.Less(t, time.Since(start), 5*time.Second)
		require.True(t, leader().GetRunning())
		s.boot(b)
		s.must(b, startRequest(1, 2, pb.JoinMode_INITIAL))
		s.until("it has one again", func() bool { return leader().GetLeaderId() != 0 && leader().GetTerm() != 0 })
	})
}

func TestRedirectIsFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, 1, 0)
		to := "a server that was added later"
		s.drummers[0].locked(func() { s.drummers[0].redirect = &to })
		h := &testHost{address: strings.ToLower(t.Name()) + "/host", disk: vfs.NewMem()}
		s.hosts = append(s.hosts, h)
		s.boot(h)
		s.drummers = append(s.drummers, startFake(&s.net, to))
		s.until("attached to the leader", func() bool { return h.agent.Attached() == to })
	})
}

// A leader that was cut off says nothing more; the agent goes elsewhere long
// before its host counts as dead.
func TestSilentServerIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, 2, 1)
		h := s.hosts[0]
		s.until("attached", func() bool { return h.agent.Attached() != "" })
		silent := h.agent.Attached()
		other := "drummer-0"
		if silent == other {
			other = "drummer-1"
		}
		start := time.Now()
		s.net.Cut(silent)
		s.until("attached elsewhere", func() bool { return h.agent.Attached() == other })
		require.Less(t, time.Since(start), 10*time.Second)
		s.net.Heal(silent)
	})
}

func TestServerWithoutPingsIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, 1, 1)
		h := s.hosts[0]
		s.until("attached", func() bool { return h.agent.Attached() != "" })
		f := s.drummers[0]
		f.locked(func() { f.mute = true })
		time.Sleep(30 * time.Second)
		f.locked(func() { require.Greater(t, len(f.hellos), 4, "one attachment after the other") })
	})
}

func TestDeploymentIsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, 1, 1)
		h := s.hosts[0]
		s.until("attached", func() bool { return h.agent.Attached() != "" })
		s.shutdown(h)
		f := s.drummers[0]
		f.locked(func() { f.deployment = 8 })
		s.boot(h)
		time.Sleep(20 * time.Second)
		require.Empty(t, h.agent.Attached(), "a server of another deployment can't take the host over")
		f.locked(func() { require.Equal(t, uint64(testDeployment), f.hellos[len(f.hellos)-1].GetDeploymentId()) })
	})
}

// New servers of the deployment begin to count terms and operations anew. The old
// ones are refused from then on, also after a restart.
func TestNewServersAreFollowedAndOldOnesRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, 1, 1)
		h, f := s.hosts[0], s.drummers[0]
		epoch := func(e uint64) {
			s.shutdown(h)
			f.locked(func() { f.epoch = e })
			s.boot(h)
		}
		ask := func(e, term uint64) *pb.RequestResult {
			req := startRequest(1, 1, pb.JoinMode_INITIAL)
			req.InitialMembers = map[uint64]string{1: h.address}
			req.DeploymentEpoch, req.LeaderTerm = e, term
			return s.ask(h, req)
		}
		epoch(20)
		require.Equal(t, pb.ResultCode_DONE, ask(20, 9).GetCode())
		f.locked(func() { f.epoch, f.mute = 30, true })
		s.until("detached from the old servers", func() bool { return h.agent.Attached() == "" })
		f.locked(func() { f.mute = false })
		s.until("attached to the new servers", func() bool { return h.agent.deployment.get().epoch == 30 })
		require.Equal(t, pb.ResultCode_DONE, ask(30, 2).GetCode(), "a lower term of a later epoch")

		epoch(20)
		time.Sleep(20 * time.Second)
		require.Empty(t, h.agent.Attached(), "the old servers can't have the host back")
		f.locked(func() { require.Equal(t, uint64(30), f.hellos[len(f.hellos)-1].GetDeploymentEpoch()) })
		epoch(30)
		s.until("attached to the new servers again", func() bool { return h.agent.Attached() != "" })
	})
}

// What old servers asked for is neither begun nor answered once new ones have
// adopted the NodeHost, even under the number of an operation of the new ones.
func TestRequestsOfOldServersEndWithThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, 1, 1)
		h := s.hosts[0]
		s.until("attached", func() bool { return h.agent.Attached() != "" })
		e := h.agent.executor
		for range maxParallel {
			e.slots <- struct{}{} // nothing can begin
		}
		request := func(epoch, cluster uint64) *pb.Request {
			req := startRequest(cluster, 1, pb.JoinMode_INITIAL)
			req.InitialMembers = map[uint64]string{1: h.address}
			req.OperationId, req.NodehostId, req.DeploymentId, req.DeploymentEpoch = 1, h.nodehost.ID(), testDeployment, epoch
			return req
		}
		require.NoError(t, h.agent.deployment.set(identity{testDeployment, 20}))
		e.submit(request(20, 1))
		require.NoError(t, h.agent.deployment.set(identity{testDeployment, 30}))
		e.submit(request(20, 2))
		e.submit(request(30, 3))
		require.Len(t, e.pending, 2)
		for range maxParallel {
			<-e.slots
		}
		s.until("both have ended", func() bool {
			e.mu.Lock()
			defer e.mu.Unlock()
			return len(e.pending) == 0
		})
		for cluster, begun := range map[uint64]bool{1: false, 2: false, 3: true} {
			require.Equal(t, begun, h.nodehost.HasNodeInfo(cluster, 1), "cluster %d", cluster)
		}
		time.Sleep(3 * time.Second)
		require.Nil(t, s.drummers[0].result(h.nodehost.ID(), 1), "a server of another epoch is told nothing")
	})
}

func TestFullStateIsSentAgainWhenAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, 1, 1)
		h := s.hosts[0]
		s.startMember(1, h)
		f := s.drummers[0]
		hellos := 0
		f.locked(func() {
			hellos = len(f.hellos)
			f.hosts[h.nodehost.ID()].reports = nil // the server has forgotten
		})
		s.push(h, &pb.ServerMessage{Body: &pb.ServerMessage_SendFullState{SendFullState: &pb.SendFullState{}}})
		s.until("the picture is complete again", func() bool {
			r := f.report(h.nodehost.ID(), key{1, 1})
			return r.GetRunning() && r.GetMembership() != nil
		})
		f.locked(func() { require.Len(t, f.hellos, hellos, "on the same stream") })
	})
}

func TestCloseInTheMiddleOfWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, 1, 2)
		a, b := s.hosts[0], s.hosts[1]
		s.startMember(1, a, b)
		s.shutdown(b) // no quorum: the next change waits
		s.operations++
		s.push(a, &pb.ServerMessage{Body: &pb.ServerMessage_Request{Request: &pb.Request{
			OperationId: s.operations, Kind: pb.RequestKind_ADD_OBSERVER, ClusterId: 1, NodeId: 3, TargetAddress: "c", ConfigChangeId: 2,
			NodehostId: a.nodehost.ID(), DeploymentId: testDeployment, LeaderTerm: 5,
		}}})
		time.Sleep(200 * time.Millisecond)
		start := time.Now()
		a.agent.Close()
		require.Less(t, time.Since(start), time.Second)
		a.agent = nil
		a.nodehost.Stop()
	})
}

func TestAddressThatDragonboatWouldPanicOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener := NewListener(nil, nil)
		conf := testkit.NodeHostConfig("Upper-Case", vfs.NewMem())
		conf.RaftEventListener, conf.SystemEventListener = listener, listener
		nodehost := testkit.StartNodeHost(t, conf)
		defer nodehost.Stop()
		_, err := New(nodehost, Config{Drummers: []string{"d"}, Listener: listener})
		require.ErrorContains(t, err, "upper-case")
	})
}

// An agent that hears nothing of its NodeHost would report clusters without leaders.
func TestAForgottenListenerIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener, other := NewListener(nil, nil), NewListener(nil, nil)
		for want, forget := range map[string]func(*config.NodeHostConfig, *Config){
			"needs the Listener":                     func(_ *config.NodeHostConfig, c *Config) { c.Listener = nil },
			"forgotten/a has no RaftEventListener":   func(c *config.NodeHostConfig, _ *Config) { c.RaftEventListener = nil },
			"forgotten/a has no SystemEventListener": func(c *config.NodeHostConfig, _ *Config) { c.SystemEventListener = nil },
			"is another Listener than the agent's":   func(_ *config.NodeHostConfig, c *Config) { c.Listener = other },
		} {
			conf := testkit.NodeHostConfig("forgotten/a", vfs.NewMem())
			conf.RaftEventListener, conf.SystemEventListener = listener, listener
			agentConf := Config{Drummers: []string{"d"}, Listener: listener}
			forget(&conf, &agentConf)
			nodehost := testkit.StartNodeHost(t, conf)
			_, err := New(nodehost, agentConf)
			require.ErrorContains(t, err, want)
			nodehost.Stop()
		}
	})
}

// An observer has caught up as long as it answers reads, which takes a leader: it may
// have been left behind since.
func TestAnObserverWithoutALeaderHasNotCaughtUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, 1, 2)
		a, b := s.hosts[0], s.hosts[1]
		s.startMember(1, a)
		s.must(a, &pb.Request{Kind: pb.RequestKind_ADD_OBSERVER, ClusterId: 1, NodeId: 2, TargetAddress: b.address,
			ConfigChangeId: s.drummers[0].report(a.nodehost.ID(), key{1, 1}).GetMembership().GetConfigChangeId()})
		s.must(b, startRequest(1, 2, pb.JoinMode_JOIN_AS_OBSERVER))
		caughtUp := func() bool { return s.drummers[0].report(b.nodehost.ID(), key{1, 2}).GetCaughtUp() }
		s.until("it has caught up", caughtUp)
		s.shutdown(a)
		s.until("it has not", func() bool { return !caughtUp() })
		s.boot(a)
		s.until("the other host is back", func() bool { return s.drummers[0].report(a.nodehost.ID(), key{1, 1}) != nil })
		s.must(a, &pb.Request{Kind: pb.RequestKind_START_NODE, ClusterId: 1, NodeId: 1, Join: pb.JoinMode_INITIAL,
			InitialMembers: map[uint64]string{1: a.address}, Spec: &pb.ClusterSpec{ClusterId: 1, Application: "kv", Size: 1}})
		s.until("it has again", caughtUp)
	})
}

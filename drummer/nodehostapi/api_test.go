// SPDX-License-Identifier: Apache-2.0

package nodehostapi_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lni/dragonboat/v3"
	"github.com/lni/goutils/vfs"
	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/drummer/client"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/testkit"
	"github.com/drumbeat-raft/drumbeat/drummer/nodehostapi"
)

// The clusters of the fixture.
const (
	regular = 1 // one member, regular state machine
	onDisk  = 2 // one member, on-disk
	alone   = 3 // three members, of which only one runs: never a leader
	pair    = 4 // two members on two NodeHosts
)

type fixture struct {
	t      *testing.T
	first  *dragonboat.NodeHost
	second *dragonboat.NodeHost
	api    client.NodeHost
}

// inBubble runs a test against two NodeHosts, the first of which has the API.
func inBubble(t *testing.T, test func(f *fixture)) {
	synctest.Test(t, func(t *testing.T) {
		one, two := t.Name()+"/1", t.Name()+"/2"
		f := &fixture{t: t}
		f.first = testkit.StartNodeHost(t, testkit.NodeHostConfig(one, vfs.NewMem()))
		defer f.first.Stop()
		f.second = testkit.StartNodeHost(t, testkit.NodeHostConfig(two, vfs.NewMem()))
		defer func() {
			if f.second != nil {
				f.second.Stop()
			}
		}()
		require.NoError(t, f.first.StartCluster(map[uint64]string{1: one}, false, testkit.NewKV, testkit.RaftConfig(regular, 1)))
		require.NoError(t, f.first.StartOnDiskCluster(map[uint64]string{1: one}, false, testkit.NewOnDiskKV, testkit.RaftConfig(onDisk, 1)))
		require.NoError(t, f.first.StartCluster(map[uint64]string{1: one, 2: "nowhere", 3: "nowhere either"}, false, testkit.NewKV, testkit.RaftConfig(alone, 1)))
		both := map[uint64]string{1: one, 2: two}
		require.NoError(t, f.first.StartCluster(both, false, testkit.NewKV, testkit.RaftConfig(pair, 1)))
		require.NoError(t, f.second.StartCluster(both, false, testkit.NewKV, testkit.RaftConfig(pair, 2)))

		var network testkit.Net
		server, err := nodehostapi.New(f.first, nodehostapi.Config{Listener: network.Listen("api")})
		require.NoError(t, err)
		defer server.Close()
		c, err := client.New(client.Config{Drummers: []string{"none"}, Dial: network.Dial})
		require.NoError(t, err)
		defer c.Close()
		f.api = c.NodeHost("api")
		time.Sleep(5 * time.Second) // elections
		test(f)
	})
}

func (f *fixture) context(limit time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	f.t.Cleanup(cancel)
	return ctx
}

// failed checks an error's code and what it says about its effect.
func (f *fixture) failed(err error, code pb.RaftErrorCode, outcome client.Outcome) {
	f.t.Helper()
	require.Error(f.t, err)
	require.Equal(f.t, code, client.RaftErrorOf(err).GetCode(), "%v", err)
	require.Equal(f.t, outcome, client.OutcomeOf(err), "%v", err)
}

func TestProposeAndRead(t *testing.T) {
	inBubble(t, func(f *fixture) {
		for _, cluster := range []uint64{regular, onDisk, pair} {
			out, err := f.api.Propose(f.context(time.Second), client.NoOpSession(cluster), testkit.Put("a", "1"))
			require.NoError(t, err)
			require.Equal(t, uint64(1), out.GetValue())
			require.Equal(t, "ok", string(out.GetData()))
			data, err := f.api.Read(f.context(time.Second), cluster, []byte("a"))
			require.NoError(t, err)
			require.Equal(t, "1", string(data))
			data, err = f.api.StaleRead(f.context(time.Second), cluster, []byte("a"))
			require.NoError(t, err)
			require.Equal(t, "1", string(data))
		}
	})
}

func TestCallWithoutDeadlineGetsOne(t *testing.T) {
	inBubble(t, func(f *fixture) {
		_, err := f.api.Propose(context.Background(), client.NoOpSession(regular), testkit.Put("a", "1"))
		require.NoError(t, err)
	})
}

func TestRegisteredSessionAppliesOnce(t *testing.T) {
	inBubble(t, func(f *fixture) {
		session, err := f.api.GetSession(f.context(time.Second), regular)
		require.NoError(t, err)
		for range 2 { // the same series: as after a lost answer
			out, err := f.api.Propose(f.context(time.Second), session, testkit.Put("a", "1"))
			require.NoError(t, err)
			require.Equal(t, uint64(1), out.GetValue())
		}
		client.Completed(session)
		out, err := f.api.Propose(f.context(time.Second), session, testkit.Put("a", "2"))
		require.NoError(t, err)
		require.Equal(t, uint64(2), out.GetValue())

		require.NoError(t, f.api.CloseSession(f.context(time.Second), session))
		client.Completed(session)
		_, err = f.api.Propose(f.context(time.Second), session, testkit.Put("a", "3"))
		f.failed(err, pb.RaftErrorCode_REJECTED, client.NoEffect)
	})
}

func TestSessionsOnDiskAreRefusedNotPanickedOn(t *testing.T) {
	inBubble(t, func(f *fixture) {
		_, err := f.api.GetSession(f.context(time.Second), onDisk)
		f.failed(err, pb.RaftErrorCode_INVALID_SESSION, client.NoEffect)
		registered := &pb.Session{ClusterId: onDisk, ClientId: 9, SeriesId: 1}
		_, err = f.api.Propose(f.context(time.Second), registered, testkit.Put("a", "1"))
		f.failed(err, pb.RaftErrorCode_INVALID_SESSION, client.NoEffect)
	})
}

func TestBadSessionsAreRefused(t *testing.T) {
	inBubble(t, func(f *fixture) {
		for name, session := range map[string]*pb.Session{
			"none":                           nil,
			"a series of 0":                  {ClusterId: regular, ClientId: 1},
			"the series of a registration":   {ClusterId: regular, ClientId: 1, SeriesId: ^uint64(0) - 1},
			"the series of an end":           {ClusterId: regular, ClientId: 1, SeriesId: ^uint64(0)},
			"an answer that was not yet due": {ClusterId: regular, ClientId: 1, SeriesId: 3, RespondedTo: 4},
		} {
			_, err := f.api.Propose(f.context(time.Second), session, nil)
			require.Error(t, err, name)
			f.failed(err, pb.RaftErrorCode_INVALID_SESSION, client.NoEffect)
			f.failed(f.api.CloseSession(f.context(time.Second), session), pb.RaftErrorCode_INVALID_SESSION, client.NoEffect)
		}
	})
}

func TestRefusedBeforeTheQueueHasNoEffect(t *testing.T) {
	inBubble(t, func(f *fixture) {
		_, err := f.api.Propose(f.context(time.Second), client.NoOpSession(99), nil)
		f.failed(err, pb.RaftErrorCode_CLUSTER_NOT_FOUND, client.NoEffect)
		_, err = f.api.Propose(f.context(20*time.Millisecond), client.NoOpSession(regular), nil)
		f.failed(err, pb.RaftErrorCode_TIMEOUT_TOO_SMALL, client.NoEffect)
		_, err = f.api.Propose(f.context(time.Second), client.NoOpSession(regular), make([]byte, nodehostapi.MaxPayloadBytes+1))
		f.failed(err, pb.RaftErrorCode_PAYLOAD_TOO_BIG, client.NoEffect)
		_, err = f.api.Read(f.context(time.Second), regular, make([]byte, nodehostapi.MaxPayloadBytes+1))
		f.failed(err, pb.RaftErrorCode_PAYLOAD_TOO_BIG, client.NoEffect)
	})
}

func TestDroppedWithoutLeaderHasNoEffect(t *testing.T) {
	inBubble(t, func(f *fixture) {
		_, err := f.api.Propose(f.context(time.Second), client.NoOpSession(alone), testkit.Put("a", "1"))
		f.failed(err, pb.RaftErrorCode_CLUSTER_NOT_READY, client.NoEffect)
		_, err = f.api.Read(f.context(time.Second), alone, []byte("a"))
		f.failed(err, pb.RaftErrorCode_CLUSTER_NOT_READY, client.NoEffect)
	})
}

// lead makes the first NodeHost's node lead the pair.
func (f *fixture) lead() {
	require.NoError(f.t, f.second.RequestLeaderTransfer(pair, 1))
	for leader := uint64(0); leader != 1; leader, _, _ = f.first.GetLeaderID(pair) {
		time.Sleep(100 * time.Millisecond)
	}
}

func TestTimeoutIsUnknown(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.lead()
		f.second.Stop()
		f.second = nil
		// In the leader's log, but it can't be committed any more. The server's
		// own deadline ends the call.
		_, err := f.api.Propose(context.Background(), client.NoOpSession(pair), testkit.Put("a", "1"))
		f.failed(err, pb.RaftErrorCode_TIMEOUT, client.Unknown)
	})
}

func TestClientsDeadlineIsUnknown(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.lead()
		f.second.Stop()
		f.second = nil
		_, err := f.api.Propose(f.context(300*time.Millisecond), client.NoOpSession(pair), testkit.Put("a", "1"))
		require.Equal(t, client.Unknown, client.OutcomeOf(err), "%v", err)
	})
}

func TestStopWhileWaitingIsUnknown(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.lead()
		f.second.Stop()
		f.second = nil
		ended := make(chan error)
		go func() {
			_, err := f.api.Propose(f.context(10*time.Second), client.NoOpSession(pair), testkit.Put("a", "1"))
			ended <- err
		}()
		time.Sleep(100 * time.Millisecond)
		require.NoError(t, f.first.StopCluster(pair))
		f.failed(<-ended, pb.RaftErrorCode_CLUSTER_CLOSED, client.Unknown)
	})
}

func TestAnswerThatIsNotBytesIsAnError(t *testing.T) {
	inBubble(t, func(f *fixture) {
		_, err := f.api.Read(f.context(time.Second), regular, []byte("not bytes"))
		f.failed(err, pb.RaftErrorCode_OTHER, client.NoEffect)
	})
}

func TestNeedsNodeHostAndListener(t *testing.T) {
	_, err := nodehostapi.New(nil, nodehostapi.Config{})
	require.ErrorContains(t, err, "needs a NodeHost")
	_, err = nodehostapi.New(&dragonboat.NodeHost{}, nodehostapi.Config{})
	require.ErrorContains(t, err, "needs a listener")
}

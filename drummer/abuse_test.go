// SPDX-License-Identifier: Apache-2.0

package drummer_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/drumbeat-raft/drumbeat/drummer/client"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/testkit"
	"github.com/drumbeat-raft/drumbeat/drummer/role"
	"github.com/drumbeat-raft/drumbeat/drummer/rpc"
)

// Whoever abuses a deployment in these tests has a real certificate of its CA.

// as connects to the leading server, or to another address, with a certificate.
func (w *deployment) as(id role.Identity, address ...string) *grpc.ClientConn {
	_, clientTLS := w.certificate(id)
	to := append(address, w.drummers[w.leader()].Address)[0]
	conn, err := rpc.Dialer{Dial: w.net.Dial, TLS: clientTLS}.Connect(to)
	require.NoError(w.t, err)
	w.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func (w *deployment) application(allowed string) role.Identity {
	return role.Identity{Name: "shop", Role: role.Application, Clusters: clusters(w.t, allowed)}
}

// hostIdentity is what the certificate of a NodeHost bears.
func (w *deployment) hostIdentity(id int) role.Identity {
	return role.Identity{Name: fmt.Sprint("host-", id), Role: role.NodeHost, RaftAddress: w.at("host", id, "raft")}
}

func (w *deployment) refused(err error, what string) {
	w.t.Helper()
	require.Equal(w.t, codes.PermissionDenied, status.Code(err), "%s: %v", what, err)
}

// attachAs opens a stream as somebody, says Hello as a host, and returns the error it
// is answered with.
func (w *deployment) attachAs(conn *grpc.ClientConn, host *pb.NodeHostInfo) error {
	stream, err := pb.NewNodeHostsClient(conn).Attach(w.context(time.Minute))
	require.NoError(w.t, err)
	_ = stream.Send(&pb.AgentMessage{Body: &pb.AgentMessage_Hello{Hello: &pb.Hello{Host: host}}}) // it may have ended
	answer, err := stream.Recv()
	require.Nil(w.t, answer.GetRedirect(), "the leader was asked")
	return err
}

// Applications, readers and NodeHosts change nothing, and only operators do.
func TestOnlyOperatorsChangeThings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newSecureDeployment(t, 1, 3)
		w.untilAttached()
		ids := w.launch(2)
		w.writeAllAs("1-2", ids, "before")
		for _, id := range []role.Identity{w.application("all"), {Name: "eyes", Role: role.Reader}, w.hostIdentity(1), {Name: "peer", Role: role.Server}} {
			conn := w.as(id)
			drummer, fleet, ctx := pb.NewDrummerClient(conn), pb.NewFleetClient(conn), w.context(time.Minute)
			host := w.hosts[1].nodehost.ID()
			for what, do := range map[string]func() error{
				"delete": func() error {
					_, err := fleet.DeleteClusters(ctx, &pb.DeleteClustersRequest{ClusterIds: ids})
					return err
				},
				"drain": func() error {
					_, err := fleet.SetHostMode(ctx, &pb.SetHostModeRequest{Host: host, Mode: pb.HostMode_DRAIN, Force: true})
					return err
				},
				"forget": func() error { _, err := fleet.ForgetHost(ctx, &pb.ForgetHostRequest{Host: host}); return err },
				"pause":  func() error { _, err := fleet.Pause(ctx, &pb.PauseRequest{}); return err },
				"resume": func() error { _, err := fleet.Resume(ctx, &pb.ResumeRequest{}); return err },
				"define": func() error {
					_, err := drummer.DefineClusters(ctx, &pb.DefineClustersRequest{Specs: []*pb.ClusterSpec{{ClusterId: 9, Application: "kv", Size: 3}}})
					return err
				},
				"update": func() error {
					_, err := fleet.UpdateClusters(ctx, &pb.UpdateClustersRequest{Specs: []*pb.ClusterSpec{{ClusterId: 1, Application: "kv", Size: 1}}})
					return err
				},
				"launch":  func() error { _, err := drummer.Launch(ctx, &pb.LaunchRequest{}); return err },
				"restore": func() error { _, err := fleet.Restore(ctx, &pb.RestoreRequest{}); return err },
				"recover": func() error { _, err := fleet.RecoverCluster(ctx, &pb.RecoverClusterRequest{ClusterId: 1}); return err },
				"add": func() error {
					_, err := fleet.AddServer(ctx, &pb.AddServerRequest{RaftAddress: "x", Address: "y"})
					return err
				},
				"remove": func() error {
					_, err := fleet.RemoveServer(ctx, &pb.RemoveServerRequest{NodeId: 1, Force: true})
					return err
				},
			} {
				w.refused(do(), fmt.Sprint(id.Role, " ", what))
			}
		}
		require.True(t, w.whole(ids, ""))
		w.readAllAs("1-2", ids, "before")

		conn := w.as(role.Identity{Name: "ops", Role: role.Operator})
		_, err := pb.NewFleetClient(conn).DeleteClusters(w.context(time.Minute), &pb.DeleteClustersRequest{ClusterIds: ids[1:], By: "alice"})
		require.NoError(t, err)
		out, err := pb.NewDrummerClient(conn).ListEvents(w.context(time.Minute), &pb.ListEventsRequest{Kinds: []string{pb.EventClusterDeleted}})
		require.NoError(t, err)
		require.Len(t, out.GetEvents(), 1)
		require.Equal(t, "alice (certificate ops, operator)", out.GetEvents()[0].GetBy())
	})
}

// Readers look at all that Drummer knows, applications find clusters, and that is all.
func TestReadersReadAndApplicationsLocate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newSecureDeployment(t, 1, 3)
		w.untilAttached()
		ids := w.launch(1)
		ctx := w.context(time.Minute)
		look := func(conn *grpc.ClientConn) (errs map[string]error) {
			drummer, fleet := pb.NewDrummerClient(conn), pb.NewFleetClient(conn)
			errs = map[string]error{}
			_, errs["locate"] = drummer.Locate(ctx, &pb.LocateRequest{ClusterIds: ids})
			_, errs["hosts"] = drummer.ListNodeHosts(ctx, &pb.ListNodeHostsRequest{})
			_, errs["events"] = drummer.ListEvents(ctx, &pb.ListEventsRequest{})
			_, errs["operations"] = drummer.ListOperations(ctx, &pb.ListOperationsRequest{})
			_, errs["status"] = drummer.Status(ctx, &pb.StatusRequest{})
			_, errs["servers"] = fleet.ListServers(ctx, &pb.ListServersRequest{})
			_, errs["dry run"] = fleet.DryRun(ctx, &pb.DryRunRequest{})
			return errs
		}
		for what, err := range look(w.as(role.Identity{Role: role.Reader})) {
			require.NoError(t, err, what)
		}
		for what, err := range look(w.as(w.application("1"))) {
			if what == "locate" {
				require.NoError(t, err)
			} else {
				w.refused(err, what)
			}
		}
	})
}

// writeAllAs and readAllAs are writeAll and readAll by an application.
func (w *deployment) writeAllAs(allowed string, ids []uint64, value string) {
	w.t.Helper()
	c := w.clientOf(w.application(allowed))
	defer c.Close()
	for _, id := range ids {
		_, err := c.Propose(w.context(20*time.Second), id, testkit.Put(value, fmt.Sprint(value, id)))
		require.NoError(w.t, err)
	}
}

func (w *deployment) readAllAs(allowed string, ids []uint64, value string) {
	w.t.Helper()
	c := w.clientOf(w.application(allowed))
	defer c.Close()
	for _, id := range ids {
		data, err := c.Read(w.context(20*time.Second), id, []byte(value))
		require.NoError(w.t, err)
		require.Equal(w.t, fmt.Sprint(value, id), string(data))
	}
}

// An application uses the clusters of its certificate and no others; nobody else uses
// any, and only an operator touches replicas.
func TestApplicationsUseTheirOwnClusters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newSecureDeployment(t, 1, 3)
		w.untilAttached()
		ids := w.launch(2)
		w.writeAllAs("1-2", ids, "before")
		api := w.at("host", 1, "api")
		try := func(id role.Identity, cluster uint64) (errs map[string]error) {
			c := w.clientOf(id)
			defer c.Close()
			host, ctx := c.NodeHost(api), w.context(20*time.Second)
			errs = map[string]error{}
			_, errs["propose"] = host.Propose(ctx, client.NoOpSession(cluster), testkit.Put("by", id.Name))
			_, errs["read"] = host.Read(ctx, cluster, []byte("before"))
			_, errs["stale read"] = host.StaleRead(ctx, cluster, []byte("before"))
			var session *pb.Session
			if session, errs["session"] = host.GetSession(ctx, cluster); session == nil {
				session = &pb.Session{ClusterId: cluster, ClientId: 5, SeriesId: 1}
			}
			errs["close"] = host.CloseSession(ctx, session)
			return errs
		}
		for what, err := range try(w.application("1"), 1) {
			require.NoError(t, err, what)
		}
		for _, id := range []role.Identity{w.application("1"), {Role: role.Operator}, {Role: role.Reader}, w.hostIdentity(2), {Role: role.Server}} {
			for what, err := range try(id, 2) {
				w.refused(err, fmt.Sprint(id.Role, " ", what))
				require.Equal(t, client.NoEffect, client.OutcomeOf(err), what)
			}
		}
		counted := map[string]uint64{}
		for _, r := range w.hosts[1].api.Refusals() {
			counted[r.GetRole()+" "+r.GetMethod()] = r.GetCount()
		}
		require.EqualValues(t, 2, counted["application "+pb.NodeHostAPI_Read_FullMethodName])
		require.EqualValues(t, 1, counted["operator "+pb.NodeHostAPI_Propose_FullMethodName])
		for _, id := range []role.Identity{w.application("all"), {Role: role.Reader}, w.hostIdentity(2), {Role: role.Server}} {
			_, err := pb.NewRecoveryClient(w.as(id, api)).RecoverReplica(w.context(time.Minute), &pb.RecoverReplicaRequest{ClusterId: 1, NewNodeId: 9})
			w.refused(err, "recover a replica")
		}
		require.True(t, w.whole(ids, ""))
	})
}

// A NodeHost speaks as itself alone: nobody else ends its stream, takes its RaftAddress
// or its NodeHost ID.
func TestNobodySpeaksAsAnotherNodeHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newSecureDeployment(t, 1, 3)
		w.untilAttached()
		ids := w.launch(2)
		victim := &pb.NodeHostInfo{NodehostId: w.hosts[1].nodehost.ID(), RaftAddress: w.hosts[1].nodehost.RaftAddress()}
		second := w.hostIdentity(2)
		bound := w.hostIdentity(1)
		bound.NodeHostID = "another disk"
		for what, try := range map[string]struct {
			as    role.Identity
			hello *pb.NodeHostInfo
		}{
			"an application":                    {w.application("all"), victim},
			"a reader":                          {role.Identity{Role: role.Reader}, victim},
			"an operator":                       {role.Identity{Role: role.Operator}, victim},
			"a Drummer server":                  {role.Identity{Role: role.Server}, victim},
			"another NodeHost":                  {second, victim},
			"another NodeHost, by the address":  {second, &pb.NodeHostInfo{NodehostId: "eve", RaftAddress: victim.GetRaftAddress()}},
			"another NodeHost, by the ID":       {second, &pb.NodeHostInfo{NodehostId: victim.GetNodehostId(), RaftAddress: second.RaftAddress}},
			"a certificate for another disk":    {bound, victim},
			"another NodeHost, of an older one": {second, &pb.NodeHostInfo{NodehostId: "eve", RaftAddress: "older"}},
		} {
			w.refused(w.attachAs(w.as(try.as), try.hello), what)
			synctest.Wait()
			require.NotEmpty(t, w.hosts[1].agent.Attached(), "%s has ended its stream", what)
		}
		time.Sleep(time.Minute)
		require.True(t, w.whole(ids, ""))
		out, err := w.client.ListEvents(w.context(time.Minute), &pb.ListEventsRequest{Kinds: []string{pb.EventHostGone, pb.EventHostContested, pb.EventHostDead}})
		require.NoError(t, err)
		require.Empty(t, out.GetEvents())
		bound.NodeHostID = victim.GetNodehostId()
		require.NoError(t, w.attachAs(w.as(bound), victim), "its own certificate is good for it")
	})
}

// The ID of a host that has only just attached, and is not yet in DrummerDB, is taken
// by nobody either.
func TestNobodyTakesTheStreamOfANewNodeHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newSecureDeployment(t, 1, 0)
		conn := w.as(role.Identity{Role: role.NodeHost, RaftAddress: "a:1"})
		stream, err := pb.NewNodeHostsClient(conn).Attach(w.context(time.Minute))
		require.NoError(t, err)
		require.NoError(t, stream.Send(&pb.AgentMessage{Body: &pb.AgentMessage_Hello{Hello: &pb.Hello{Host: &pb.NodeHostInfo{NodehostId: "nhid-a", RaftAddress: "a:1"}}}}))
		_, err = stream.Recv()
		require.NoError(t, err)
		other := w.as(role.Identity{Role: role.NodeHost, RaftAddress: "b:1"})
		w.refused(w.attachAs(other, &pb.NodeHostInfo{NodehostId: "nhid-a", RaftAddress: "b:1"}), "at once")
		require.NoError(t, stream.Send(&pb.AgentMessage{Body: &pb.AgentMessage_Hello{Hello: &pb.Hello{Host: &pb.NodeHostInfo{NodehostId: "nhid-a", RaftAddress: "b:1"}}}}))
		for err == nil {
			_, err = stream.Recv()
		}
		w.refused(err, "a further Hello from elsewhere")
	})
}

// Hosts that don't exist are not reported, whoever tries; each try is counted.
func TestInventedHostsAreNotReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newSecureDeployment(t, 1, 3)
		w.untilAttached()
		const invented = 2000
		for _, id := range []role.Identity{w.application("all"), w.hostIdentity(2)} {
			conn := w.as(id)
			for i := range invented / 2 {
				w.refused(w.attachAs(conn, &pb.NodeHostInfo{NodehostId: fmt.Sprint("eve-", i), RaftAddress: fmt.Sprint("eve:", i+1)}), "an invented host")
			}
		}
		time.Sleep(10 * time.Second)
		out, err := w.client.ListNodeHosts(w.context(time.Minute))
		require.NoError(t, err)
		require.Len(t, out.GetHosts(), 3)

		is, err := w.client.Status(w.context(time.Minute), w.drummers[1].Address)
		require.NoError(t, err)
		counted := map[string]uint64{}
		for _, r := range is.GetRefusals() {
			counted[r.GetRole()+" "+r.GetMethod()] = r.GetCount()
		}
		require.Equal(t, map[string]uint64{
			"application " + pb.NodeHosts_Attach_FullMethodName: invented / 2,
			"nodehost " + pb.NodeHosts_Attach_FullMethodName:    invented / 2,
		}, counted)
	})
}

// Only a server talks to the servers.
func TestOnlyServersArePeers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newSecureDeployment(t, 3, 1)
		w.leader()
		for _, id := range []role.Identity{w.application("all"), {Role: role.Reader}, {Role: role.Operator}, w.hostIdentity(1)} {
			peers := pb.NewPeersClient(w.as(id))
			_, err := peers.Exchange(w.context(time.Minute), &pb.ServerList{Servers: []*pb.ServerInfo{{NodeId: 2, RaftAddress: "x", Address: "evil", BootNs: 1 << 62, Beat: 9}}})
			w.refused(err, "exchange")
			_, err = peers.Admit(w.context(time.Minute), &pb.AdmitRequest{NodeId: 9, Incarnation: "x", DeploymentId: 7})
			w.refused(err, "admit")
		}
		out, err := w.client.ListServers(w.context(time.Minute))
		require.NoError(t, err)
		require.Len(t, out.GetServers(), 3)
		for _, s := range out.GetServers() {
			require.Equal(t, w.drummers[s.GetNodeId()].Address, s.GetAddress())
			require.True(t, s.GetAlive(), "servers talk to each other all the same")
		}
	})
}

// SPDX-License-Identifier: Apache-2.0

package drummer_test

import (
	"crypto/tls"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lni/dragonboat/v3"
	"github.com/lni/goutils/vfs"
	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/drummer"
	"github.com/drumbeat-raft/drumbeat/drummer/agent"
	"github.com/drumbeat-raft/drumbeat/drummer/client"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/testca"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/testkit"
	"github.com/drumbeat-raft/drumbeat/drummer/nodehostapi"
	"github.com/drumbeat-raft/drumbeat/drummer/role"
	"github.com/drumbeat-raft/drumbeat/drummer/rpc"
)

// Every gRPC connection asks both sides for a certificate of the CA: whoever
// has none, or one of another CA, is refused by Drummer and by NodeHosts.
func TestMutualTLS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca, stranger := testca.New(t), testca.New(t)
		serverTLS, peerTLS := ca.Configs(role.Identity{Role: role.Server}, "drummer")
		hostTLS, agentTLS := ca.Configs(role.Identity{Role: role.NodeHost, RaftAddress: "mutual-tls/host"}, "api")
		_, operatorTLS := ca.Configs(role.Identity{Role: role.Operator})
		_, applicationTLS := ca.Configs(role.Identity{Role: role.Application, Clusters: clusters(t, "1")})
		_, strangerTLS := stranger.Configs(role.Identity{Role: role.Operator})
		trusting := strangerTLS().Clone() // would take our servers, but shows a foreign certificate
		trusting.RootCAs = ca.Pool
		withoutCertificate := &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: ca.Pool}

		var network testkit.Net
		const raft = "mutual-tls/drummer"
		server, err := drummer.New(drummer.Config{
			NodeHost: testkit.NodeHostConfig(raft, vfs.NewMem()), NodeID: 1, DeploymentID: 7,
			Members:  map[uint64]drummer.Peer{1: {RaftAddress: raft, Address: "drummer"}},
			Listener: network.Listen("drummer"), TLS: serverTLS, Dial: network.Dial, ClientTLS: peerTLS,
		})
		require.NoError(t, err)
		defer server.Close()
		events := agent.NewListener(nil, nil)
		conf := testkit.NodeHostConfig("mutual-tls/host", vfs.NewMem())
		conf.RaftEventListener, conf.SystemEventListener = events, events
		nodehost := testkit.StartNodeHost(t, conf)
		defer nodehost.Stop()
		api, err := nodehostapi.New(nodehost, nodehostapi.Config{Listener: network.Listen("api"), TLS: hostTLS})
		require.NoError(t, err)
		defer api.Close()

		connect := func(conf rpc.TLSFunc) *client.Client {
			c, err := client.New(client.Config{Drummers: []string{"drummer"}, Dial: network.Dial, TLS: conf})
			require.NoError(t, err)
			t.Cleanup(c.Close)
			return c
		}
		w := &deployment{t: t}
		for name, conf := range map[string]*tls.Config{"plain text": nil, "no certificate": withoutCertificate, "a foreign CA": trusting} {
			conf := rpc.StaticTLS(conf)
			c := connect(conf)
			require.Error(t, c.Launch(w.context(5*time.Second), "a test"), name)
			_, err := c.NodeHost("api").StaleRead(w.context(5*time.Second), 1, nil)
			require.Error(t, err, name)
			require.Nil(t, client.RaftErrorOf(err), "%s: the NodeHost did not answer at all", name)
			require.Empty(t, attachFor(t, nodehost, events, &network, conf, 10*time.Second), name)
		}
		require.Error(t, connect(strangerTLS).Launch(w.context(5*time.Second), "a test"), "our server is a stranger to it")

		require.NoError(t, connect(operatorTLS).Launch(w.context(20*time.Second), "a test"))
		_, err = connect(applicationTLS).NodeHost("api").StaleRead(w.context(5*time.Second), 1, nil)
		require.Equal(t, pb.RaftErrorCode_CLUSTER_NOT_FOUND, client.RaftErrorOf(err).GetCode())
		require.Equal(t, "drummer", attachFor(t, nodehost, events, &network, agentTLS, 10*time.Second))
	})
}

func clusters(t *testing.T, text string) role.Clusters {
	t.Helper()
	out, err := role.ParseClusters(text)
	require.NoError(t, err)
	return out
}

// attachFor lets an agent try for a while and returns where it attached.
func attachFor(t *testing.T, nodehost *dragonboat.NodeHost, events *agent.Listener, network *testkit.Net, conf rpc.TLSFunc, d time.Duration) string {
	t.Helper()
	a, err := agent.New(nodehost, agent.Config{Drummers: []string{"drummer"}, Listener: events, Dial: network.Dial, TLS: conf})
	require.NoError(t, err)
	defer a.Close()
	time.Sleep(d)
	return a.Attached()
}

// SPDX-License-Identifier: Apache-2.0

package drummer_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lni/dragonboat/v3"
	"github.com/lni/goutils/vfs"
	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/drummer"
	"github.com/drumbeat-raft/drumbeat/drummer/agent"
	"github.com/drumbeat-raft/drumbeat/drummer/client"
	"github.com/drumbeat-raft/drumbeat/drummer/diskcheck"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/testca"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/testkit"
	"github.com/drumbeat-raft/drumbeat/drummer/nodehostapi"
	"github.com/drumbeat-raft/drumbeat/drummer/role"
	"github.com/drumbeat-raft/drumbeat/drummer/rpc"
)

// deployment is a Drummer deployment in one process, inside a synctest bubble: gRPC
// over in-memory pipes, Raft over channels, disks in memory.
type deployment struct {
	t        *testing.T
	name     string
	rtt      uint64
	rng      *rand.Rand
	net      testkit.Net
	drummers map[uint64]drummer.Peer
	others   []string // servers that the NodeHosts are told of, too
	servers  map[uint64]*drummer.Server
	hosts    map[int]*host
	client   *client.Client
	backups  map[uint64]drummer.BackupConfig // of servers, by NodeID
	ca       *testca.CA                      // of mutual TLS; nil: plain text
}

type host struct {
	disk     vfs.FS
	nodehost *dragonboat.NodeHost
	agent    *agent.Agent
	api      *nodehostapi.Server
}

func newDeployment(t *testing.T, drummers, hosts int) *deployment {
	return newSlowDeployment(t, drummers, hosts, testkit.RTT)
}

// newSecureDeployment is newDeployment with mutual TLS and a certificate for each role.
func newSecureDeployment(t *testing.T, drummers, hosts int) *deployment {
	return start(&deployment{t: t, rtt: testkit.RTT, ca: testca.New(t)}, drummers, hosts)
}

// newSlowDeployment is newDeployment with an RTT of its own for the NodeHosts, in
// milliseconds: the larger, the less work a Raft node is.
func newSlowDeployment(t *testing.T, drummers, hosts int, rtt uint64) *deployment {
	return start(&deployment{t: t, rtt: rtt}, drummers, hosts)
}

func start(w *deployment, drummers, hosts int) *deployment {
	w.name = strings.NewReplacer("/", "-", "_", "-", "#", "-").Replace(strings.ToLower(w.t.Name()))
	w.rng = rand.New(rand.NewPCG(1, 2))
	w.drummers, w.servers, w.hosts = map[uint64]drummer.Peer{}, map[uint64]*drummer.Server{}, map[int]*host{}
	for id := range uint64(drummers) {
		w.drummers[id+1] = drummer.Peer{RaftAddress: w.at("drummer", id+1, "raft"), Address: w.at("drummer", id+1, "grpc")}
	}
	for id := range w.drummers {
		w.startServer(id, vfs.NewMem())
	}
	for id := range hosts {
		w.startHost(id+1, vfs.NewMem())
	}
	w.client = w.clientOf(role.Identity{Name: "ops", Role: role.Operator})
	w.t.Cleanup(w.close)
	return w
}

// clientOf returns a client with a certificate of its own. The caller closes it.
func (w *deployment) clientOf(id role.Identity) *client.Client {
	_, clientTLS := w.certificate(id)
	c, err := client.New(client.Config{Drummers: w.drummerAddresses(), Dial: w.net.Dial, TLS: clientTLS, Rand: w.rand()})
	require.NoError(w.t, err)
	return c
}

// certificate is both sides of TLS for somebody, nil where there is plain text.
func (w *deployment) certificate(id role.Identity, names ...string) (*tls.Config, rpc.TLSFunc) {
	if w.ca == nil {
		return nil, nil
	}
	return w.ca.Configs(id, names...)
}

func (w *deployment) at(parts ...any) string { return w.name + "." + fmt.Sprint(parts...) }

func (w *deployment) rand() *rand.Rand { return rand.New(rand.NewPCG(w.rng.Uint64(), w.rng.Uint64())) }

func (w *deployment) drummerAddresses() []string {
	var addresses []string
	for _, id := range slices.Sorted(maps.Keys(w.drummers)) {
		addresses = append(addresses, w.drummers[id].Address)
	}
	return addresses
}

func (w *deployment) startServer(id uint64, disk vfs.FS) {
	w.servers[id] = w.serverOf(w.drummers, id, disk)
}

// serverOf starts one of the servers that DrummerDB began with.
func (w *deployment) serverOf(members map[uint64]drummer.Peer, id uint64, disk vfs.FS) *drummer.Server {
	config := w.serverConfig(members, id, disk)
	config.Listener = w.net.Listen(members[id].Address)
	server, err := drummer.New(config)
	require.NoError(w.t, err)
	return server
}

// newServer tries to start one.
func (w *deployment) newServer(id uint64, disk vfs.FS) (*drummer.Server, error) {
	config := w.serverConfig(w.drummers, id, disk)
	config.Listener = w.net.Listen(w.drummers[id].Address)
	return drummer.New(config)
}

func (w *deployment) serverConfig(members map[uint64]drummer.Peer, id uint64, disk vfs.FS) drummer.Config {
	serverTLS, clientTLS := w.certificate(role.Identity{Name: fmt.Sprint("drummer-", id), Role: role.Server}, members[id].Address)
	return drummer.Config{
		TLS:          serverTLS,
		ClientTLS:    clientTLS,
		NodeHost:     testkit.NodeHostConfig(members[id].RaftAddress, disk),
		NodeID:       id,
		Members:      members,
		Dial:         w.net.Dial,
		DeploymentID: 7,
		Backup:       w.backups[id],
	}
}

func (w *deployment) stopServer(id uint64) {
	w.servers[id].Close()
	delete(w.servers, id)
}

func (w *deployment) startHost(id int, disk vfs.FS) {
	listener := agent.NewListener(nil, nil)
	conf := testkit.NodeHostConfig(w.at("host", id, "raft"), disk)
	conf.RTTMillisecond = w.rtt
	conf.RaftEventListener, conf.SystemEventListener = listener, listener
	nodehost, checker, err := diskcheck.Start(conf, nil)
	require.NoError(w.t, err)
	apiAddress := w.at("host", id, "api")
	serverTLS, clientTLS := w.certificate(role.Identity{Name: fmt.Sprint("host-", id), Role: role.NodeHost, RaftAddress: conf.RaftAddress}, apiAddress)
	a, err := agent.New(nodehost, agent.Config{
		Drummers: append(w.drummerAddresses(), w.others...), APIAddress: apiAddress, Region: "here",
		Registry: map[string]agent.Application{"kv": {Regular: testkit.NewKV}},
		Listener: listener, Disk: checker, Dial: w.net.Dial, TLS: clientTLS, Rand: w.rand(),
	})
	require.NoError(w.t, err)
	api, err := nodehostapi.New(nodehost, nodehostapi.Config{Listener: w.net.Listen(apiAddress), TLS: serverTLS, Recovery: a})
	require.NoError(w.t, err)
	w.hosts[id] = &host{disk: disk, nodehost: nodehost, agent: a, api: api}
}

func (w *deployment) stopHost(id int) {
	h := w.hosts[id]
	h.api.Close()
	h.agent.Close()
	h.nodehost.Stop()
	delete(w.hosts, id)
}

func (w *deployment) close() {
	w.client.Close()
	for id := range w.hosts {
		w.stopHost(id)
	}
	for id := range w.servers {
		w.stopServer(id)
	}
}

// leader returns the server that leads.
func (w *deployment) leader() uint64 {
	var leader uint64
	w.until(30*time.Second, "a Drummer server leads", func() bool {
		for id, server := range w.servers {
			if _, ok := server.Leading(); ok {
				leader = id
				return true
			}
		}
		return false
	})
	return leader
}

// untilAttached waits until every NodeHost has found the leader.
func (w *deployment) untilAttached() {
	w.t.Helper()
	w.until(30*time.Second, "all NodeHosts are attached", func() bool {
		for _, h := range w.hosts {
			if h.agent.Attached() == "" {
				return false
			}
		}
		return true
	})
}

// until waits in virtual time for something to hold.
func (w *deployment) until(limit time.Duration, what string, holds func() bool) {
	w.t.Helper()
	for start := time.Now(); !holds(); time.Sleep(100 * time.Millisecond) {
		if time.Since(start) > limit {
			w.t.Fatalf("after %v this does not hold: %s", limit, what)
		}
	}
}

func (w *deployment) context(limit time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	w.t.Cleanup(cancel)
	return ctx
}

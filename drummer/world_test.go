// SPDX-License-Identifier: Apache-2.0

package drummer_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/lni/dragonboat/v3"
	"github.com/lni/dragonboat/v3/config"
	"github.com/lni/dragonboat/v3/logger"
	chantransport "github.com/lni/dragonboat/v3/plugin/chan"
	"github.com/lni/dragonboat/v3/statemachine"
	"github.com/lni/goutils/vfs"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/test/bufconn"

	"github.com/drumbeat-raft/drumbeat/drummer"
	"github.com/drumbeat-raft/drumbeat/drummer/agent"
	"github.com/drumbeat-raft/drumbeat/drummer/client"
	"github.com/drumbeat-raft/drumbeat/drummer/nodehostapi"
)

func init() {
	for _, name := range []string{"dragonboat", "raft", "rsm", "transport", "grpc", "logdb", "config", "utils", "server", "settings", "order"} {
		logger.GetLogger(name).SetLevel(logger.CRITICAL)
	}
}

// world is a Drummer deployment in one process, inside a synctest bubble: gRPC
// over in-memory pipes, Raft over channels, disks in memory.
type world struct {
	t        *testing.T
	name     string
	rng      *rand.Rand
	net      memnet
	drummers map[uint64]drummer.Peer
	servers  map[uint64]*drummer.Server
	hosts    map[int]*host
	client   *client.Client
}

type host struct {
	disk     vfs.FS
	nodehost *dragonboat.NodeHost
	agent    *agent.Agent
	api      *nodehostapi.Server
}

// memnet has the in-memory listeners by address.
type memnet struct {
	mu        sync.Mutex
	listeners map[string]*bufconn.Listener
}

func (n *memnet) listen(address string) net.Listener {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.listeners == nil {
		n.listeners = map[string]*bufconn.Listener{}
	}
	listener := bufconn.Listen(1 << 20)
	n.listeners[address] = listener
	return listener
}

func (n *memnet) dial(ctx context.Context, address string) (net.Conn, error) {
	n.mu.Lock()
	listener := n.listeners[address]
	n.mu.Unlock()
	if listener == nil {
		return nil, fmt.Errorf("nobody listens at %s", address)
	}
	return listener.DialContext(ctx)
}

// transport is Dragonboat's channel transport with any string as address.
type transport struct {
	chantransport.ChanTransportFactory
}

func (*transport) Validate(string) bool { return true }

func newWorld(t *testing.T, drummers, hosts int) *world {
	w := &world{
		t: t, name: t.Name(), rng: rand.New(rand.NewPCG(1, 2)),
		drummers: map[uint64]drummer.Peer{}, servers: map[uint64]*drummer.Server{}, hosts: map[int]*host{},
	}
	for id := range uint64(drummers) {
		w.drummers[id+1] = drummer.Peer{RaftAddress: w.at("drummer", id+1, "raft"), Address: w.at("drummer", id+1, "grpc")}
	}
	for id := range w.drummers {
		w.startServer(id, vfs.NewMem())
	}
	for id := range hosts {
		w.startHost(id+1, vfs.NewMem())
	}
	c, err := client.New(client.Config{Drummers: w.drummerAddresses(), Dial: w.net.dial, Rand: w.rand()})
	require.NoError(t, err)
	w.client = c
	t.Cleanup(w.close)
	return w
}

func (w *world) at(parts ...any) string { return w.name + "/" + fmt.Sprint(parts...) }

func (w *world) rand() *rand.Rand { return rand.New(rand.NewPCG(w.rng.Uint64(), w.rng.Uint64())) }

func (w *world) drummerAddresses() []string {
	var addresses []string
	for _, id := range slices.Sorted(maps.Keys(w.drummers)) {
		addresses = append(addresses, w.drummers[id].Address)
	}
	return addresses
}

func nodehostConfig(raftAddress string, disk vfs.FS) config.NodeHostConfig {
	logdb := config.GetTinyMemLogDBConfig()
	logdb.Shards = 1
	engine := config.GetDefaultEngineConfig()
	engine.ExecShards, engine.CommitShards, engine.ApplyShards, engine.SnapshotShards, engine.CloseShards = 2, 2, 2, 2, 2
	return config.NodeHostConfig{
		RaftAddress:    raftAddress,
		NodeHostDir:    "/data",
		RTTMillisecond: 50,
		Expert: config.ExpertConfig{
			FS: disk, LogDB: logdb, Engine: engine, TransportFactory: &transport{},
		},
	}
}

func (w *world) startServer(id uint64, disk vfs.FS) {
	server, err := drummer.New(drummer.Config{
		NodeHost:     nodehostConfig(w.drummers[id].RaftAddress, disk),
		NodeID:       id,
		Members:      w.drummers,
		Listener:     w.net.listen(w.drummers[id].Address),
		DeploymentID: 7,
	})
	require.NoError(w.t, err)
	w.servers[id] = server
}

func (w *world) stopServer(id uint64) {
	w.servers[id].Close()
	delete(w.servers, id)
}

func (w *world) startHost(id int, disk vfs.FS) {
	listener := agent.NewListener(nil, nil)
	conf := nodehostConfig(w.at("host", id, "raft"), disk)
	conf.RaftEventListener, conf.SystemEventListener = listener, listener
	nodehost, err := dragonboat.NewNodeHost(conf)
	require.NoError(w.t, err)
	apiAddress := w.at("host", id, "api")
	api, err := nodehostapi.New(nodehost, nodehostapi.Config{Listener: w.net.listen(apiAddress)})
	require.NoError(w.t, err)
	a, err := agent.New(nodehost, agent.Config{
		Drummers: w.drummerAddresses(), APIAddress: apiAddress, Region: "here",
		Registry: map[string]agent.Application{"kv": {Regular: newKV}},
		Listener: listener, Dial: w.net.dial, Rand: w.rand(),
	})
	require.NoError(w.t, err)
	w.hosts[id] = &host{disk: disk, nodehost: nodehost, agent: a, api: api}
}

func (w *world) stopHost(id int) {
	h := w.hosts[id]
	h.agent.Close()
	h.api.Close()
	h.nodehost.Stop()
	delete(w.hosts, id)
}

func (w *world) close() {
	w.client.Close()
	for id := range w.hosts {
		w.stopHost(id)
	}
	for id := range w.servers {
		w.stopServer(id)
	}
}

// leader returns the server that leads.
func (w *world) leader() uint64 {
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
func (w *world) untilAttached() {
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
func (w *world) until(limit time.Duration, what string, holds func() bool) {
	w.t.Helper()
	for start := time.Now(); !holds(); time.Sleep(100 * time.Millisecond) {
		if time.Since(start) > limit {
			w.t.Fatalf("after %v this does not hold: %s", limit, what)
		}
	}
}

func (w *world) context(limit time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	w.t.Cleanup(cancel)
	return ctx
}

// kv is a state machine of strings: a command is a JSON pair of key and value,
// a query is a key.
type kv struct{ data map[string]string }

func newKV(uint64, uint64) statemachine.IStateMachine { return &kv{data: map[string]string{}} }

func (m *kv) Update(command []byte) (statemachine.Result, error) {
	var pair [2]string
	if err := json.Unmarshal(command, &pair); err != nil {
		return statemachine.Result{}, nil
	}
	m.data[pair[0]] = pair[1]
	return statemachine.Result{Value: uint64(len(m.data))}, nil
}

func (m *kv) Lookup(query any) (any, error) { return []byte(m.data[string(query.([]byte))]), nil }

func (m *kv) SaveSnapshot(w io.Writer, _ statemachine.ISnapshotFileCollection, _ <-chan struct{}) error {
	return json.NewEncoder(w).Encode(m.data)
}

func (m *kv) RecoverFromSnapshot(r io.Reader, _ []statemachine.SnapshotFile, _ <-chan struct{}) error {
	return json.NewDecoder(r).Decode(&m.data)
}

func (m *kv) Close() error { return nil }

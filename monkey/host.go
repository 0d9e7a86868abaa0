// SPDX-License-Identifier: Apache-2.0

package monkey

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net"

	"github.com/lni/dragonboat/v3"
	"github.com/lni/dragonboat/v3/config"
	"github.com/lni/goutils/vfs"

	"github.com/drumbeat-raft/drumbeat/monkey/application"
	"github.com/drumbeat-raft/drumbeat/monkey/sim"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// Host is a whole program: its NodeHost, its servers, its background work. It runs
// on each of the scenario's NodeHosts, and is killed, cut off, and robbed of its
// power, like the program that comes along. It makes its NodeHost by env.NodeHost
// soon; it goes on until ctx ends, and then stops all that it has started and
// returns. What it does after ctx has ended nobody sees: its host's network and
// disk are gone. A program that ends by itself is a violation.
//
// It runs in a bubble of testing/synctest: it must take listeners, connections,
// files and random numbers from env, and the time from package time.
type Host func(ctx context.Context, env Env) error

// Env is what a program has of its host.
type Env struct {
	// Name is that of the host, such as nodehost-1, and of its address: it may listen
	// on any port of it, nodehost-1:80. Hosts are the names of all NodeHosts.
	Name  string
	Hosts []string
	// RaftAddress is that of the host's NodeHost.
	RaftAddress string
	// Clusters are the scenario's Raft clusters with their initial members, as
	// NodeHost.StartCluster takes them: by ClusterID, NodeID → RaftAddress. It is
	// empty where Drummer places them.
	Clusters map[uint64]map[uint64]string
	// Drummers are the addresses of the Drummer servers, for package agent, and
	// Application is what the clusters that Drummer places are of: the name in the
	// agent's Registry.
	Drummers    []string
	Application string
	// FS is the host's disk, and DataDir a folder on it.
	FS      vfs.FS
	DataDir string
	// Version is that of the program's build, 1 or 2: the scenario's
	// deployment.version, until a fault upgrades the host to another one.
	Version int
	Rand    *rand.Rand // it depends on the seed, and on how often the host was started
	Logger  *slog.Logger

	of sim.ProgramEnvironment
}

// Listen accepts connections to an address of the host.
func (e Env) Listen(address string) (net.Listener, error) { return e.of.Listen(address) }

// Dial connects to an address of any host. network is not looked at: it has the
// form that http.Transport takes.
func (e Env) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return e.of.Dial(ctx, address)
}

// NodeHost is dragonboat.NewNodeHost for this host: its directory, address, disk,
// transport and log storage are the host's whatever c says, and its tick is the
// scenario's unless c gives one. A program calls it once, and stops the NodeHost.
func (e Env) NodeHost(c config.NodeHostConfig) (*dragonboat.NodeHost, error) {
	return e.of.NodeHost(c)
}

// program is the host's program as the world takes it; nil of nil.
func (h Host) program() sim.Program {
	if h == nil {
		return nil
	}
	return func(ctx context.Context, e sim.ProgramEnvironment) error {
		env := Env{
			Name: e.Host.Name, RaftAddress: e.Host.RaftAddress, Clusters: e.Clusters, Application: application.OfProgram,
			FS: e.FS, DataDir: e.DataDir, Version: e.Version, Rand: e.Rand, Logger: e.Logger, of: e,
		}
		env.Hosts, env.Drummers = split(e.Hosts)
		return h(ctx, env)
	}
}

// split returns the names of NodeHosts' hosts, and the addresses of Drummers.
func split(hosts []world.Host) (names, drummers []string) {
	for _, h := range hosts {
		if h.Role == world.NodeHost {
			names = append(names, h.Name)
		} else {
			drummers = append(drummers, h.APIAddress)
		}
	}
	return names, drummers
}

// SPDX-License-Identifier: Apache-2.0

package world

import (
	"context"
	"net"
	"strings"
	"time"

	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// Role is what runs on a host.
type Role string

// The roles of hosts.
const (
	NodeHost Role = "nodehost"
	Drummer  Role = "drummer"
)

// Host is one machine of the deployment. It keeps its name and its addresses
// for the whole run, also when its process or its disk is replaced.
type Host struct {
	Name        string `json:"name"`
	Role        Role   `json:"role"`
	Region      string `json:"region,omitempty"`
	RaftAddress string `json:"raft_address"`
	APIAddress  string `json:"api_address"` // gRPC: NodeHostAPI, or Drummer and NodeHosts
}

// HostOf names the host that an address of it is on: histories and Drummer know
// hosts by their addresses, faults by their names.
func HostOf(address string) string {
	if i := strings.LastIndexByte(address, ':'); i >= 0 {
		return address[:i]
	}
	return address
}

// World is a running deployment that can be broken. Methods are safe for
// concurrent use. Faults act at the instant of the call; what a dying process
// still does afterwards has no effect on anybody.
type World interface {
	// Capabilities never changes.
	Capabilities() []scenarios.Capability
	// Hosts lists all hosts, Drummers first, each role in order of name.
	Hosts() []Host

	// Start boots every host and returns when their processes run. Drummer may
	// still be without a leader.
	Start(ctx context.Context) error
	// Stop ends every process in good order and frees all that the world holds.
	Stop()

	Processes
	Network

	// StaleChanges asks the Raft nodes on a host for membership changes that are out
	// of date, again and again until stop is called, which is to be called once.
	StaleChanges(host string) (stop func(), err error)

	// DialContext connects from the clients' place in the network, which no
	// fault cuts off from itself but any may cut off from a host.
	DialContext(ctx context.Context, address string) (net.Conn, error)
	// DrummerLeader names the host whose Drummer server leads as far as the
	// world can see; false when there is none.
	DrummerLeader() (string, bool)
	// ClusterLeader names the host that leads a Raft cluster, likewise.
	ClusterLeader(clusterID uint64) (string, bool)
	// JoiningHost names a host on which an observer runs: a new member of a
	// Raft cluster that is catching up.
	JoiningHost() (string, bool)
	// Inspect looks into a running host past network and faults: the truth
	// that Drummer's picture is compared with.
	Inspect(ctx context.Context, host string) (Inspection, error)
	// RaftNodes looks into the Raft nodes on a running NodeHost's host, likewise.
	RaftNodes(host string) ([]RaftNode, error)
	// Membership asks a Raft cluster for its membership with a linearizable
	// read through the node on the given running host.
	Membership(ctx context.Context, host string, clusterID uint64) (Membership, error)
	// LeaderChanges returns what Dragonboat announced since the last call.
	LeaderChanges() []LeaderChange
	// Examine looks for what has gone wrong inside of running processes without
	// a sign, such as a panic that was swallowed. It may take a while.
	Examine() []string
}

// Processes is how a world ends and boots the processes on its hosts. Each
// call names a host of the world; an unknown one is an error.
type Processes interface {
	// Running reports whether the host's process is there.
	Running(host string) bool
	// Kill ends the process like SIGKILL. Peers see their connections reset.
	Kill(host string) (Effect, error)
	// PowerLoss ends the processes of all the hosts at one instant of the clock,
	// and drops what their disks had not synced. Peers see silence. It may wait
	// for an instant at which a disk has something to lose. It returns the effect
	// on each host, in the order of the hosts, which are all different.
	PowerLoss(hosts ...string) ([]Effect, error)
	// Wipe ends the process, if there is one, and empties its disk.
	Wipe(host string) (Effect, error)
	// Boot starts the process on what the disk holds. It is an error while the
	// process runs.
	Boot(host string) error
}

// Link is the quality of one direction between two hosts.
type Link struct {
	Cut       bool          // nothing passes
	Drop      float64       // probability that a Raft message is lost
	Duplicate float64       // probability that a Raft message arrives twice; never a forwarded proposal
	Delay     time.Duration // one way
	Jitter    time.Duration // added, uniformly from [0, Jitter)
}

// Network is how a world degrades the links between hosts. "clients" is a host
// of the network too: Clients.
type Network interface {
	// SetLink replaces the quality of from → to.
	SetLink(from, to string, l Link) error
	// Traffic counts what links did to messages from and to the given hosts
	// since Start, and the stale membership changes that were refused there; without
	// hosts, to all messages and everywhere.
	Traffic(hosts ...string) Effect
}

// DrummerDB stands for the Raft cluster of DrummerDB where a ClusterID is asked
// for; the clusters that Drummer looks after have IDs above it.
const DrummerDB uint64 = 0

// Clients is the name of the clients' place in the network.
const Clients = "clients"

// Effect counts what a fault did. The zero value is no effect at all.
type Effect struct {
	ProcessesEnded     int64 `json:"processes_ended,omitempty"`
	BytesLost          int64 `json:"bytes_lost,omitempty"`
	FilesLost          int64 `json:"files_lost,omitempty"`
	MessagesDropped    int64 `json:"messages_dropped,omitempty"`
	MessagesDelayed    int64 `json:"messages_delayed,omitempty"`
	MessagesDuplicated int64 `json:"messages_duplicated,omitempty"`
	BytesHeld          int64 `json:"bytes_held,omitempty"`
	ConnectionsReset   int64 `json:"connections_reset,omitempty"`
	ChangesRefused     int64 `json:"changes_refused,omitempty"`
}

// Add returns the sum of two effects.
func (e Effect) Add(o Effect) Effect { return e.plus(o, 1) }

// Sub returns what e has beyond an earlier reading o.
func (e Effect) Sub(o Effect) Effect { return e.plus(o, -1) }

func (e Effect) plus(o Effect, sign int64) Effect {
	sum, other := e.counters(), o.counters()
	for i := range sum {
		*sum[i].n += sign * *other[i].n
	}
	return e
}

// counter is one of the counts of an Effect, and what is counted.
type counter struct {
	n         *int64
	one, many string
}

// counters is the table of all counts: sums, comparisons and reports are made
// from it.
func (e *Effect) counters() []counter {
	return []counter{
		{&e.ProcessesEnded, "process ended", "processes ended"},
		{&e.BytesLost, "byte lost", "bytes lost"},
		{&e.FilesLost, "file lost", "files lost"},
		{&e.MessagesDropped, "message dropped", "messages dropped"},
		{&e.MessagesDelayed, "message delayed", "messages delayed"},
		{&e.MessagesDuplicated, "message duplicated", "messages duplicated"},
		{&e.BytesHeld, "byte held back", "bytes held back"},
		{&e.ConnectionsReset, "connection reset", "connections reset"},
		{&e.ChangesRefused, "stale membership change refused", "stale membership changes refused"},
	}
}

// Each calls f with every count that is not zero, and with what is counted, in
// the singular or the plural as the count needs it.
func (e Effect) Each(f func(n int64, what string)) {
	for _, c := range e.counters() {
		switch *c.n {
		case 0:
		case 1:
			f(1, c.one)
		default:
			f(*c.n, c.many)
		}
	}
}

// Bit reports whether anything at all happened.
func (e Effect) Bit() bool { return e != Effect{} }

// Inspection is the truth about one running host.
type Inspection struct {
	Host       string
	NodeHostID string
	Nodes      []Node
}

// Node is one Raft node that runs on a host, as it sees itself.
type Node struct {
	ClusterID  uint64
	NodeID     uint64
	IsLeader   bool
	IsObserver bool
	IsWitness  bool
	// Ready is false until the node has applied its first membership.
	Ready    bool
	ConfigID uint64            // ccid of Voters
	Voters   map[uint64]string // NodeID → RaftAddress
}

// Membership is what a Raft cluster itself says of its members.
type Membership struct {
	ConfigID  uint64
	Voters    map[uint64]string // NodeID → RaftAddress
	Observers map[uint64]string
	Witnesses map[uint64]string
	Removed   []uint64 // members once, in order; never nil
}

// LeaderChange is one of Dragonboat's announcements of who leads a cluster.
type LeaderChange struct {
	At        time.Time
	Host      string
	ClusterID uint64
	NodeID    uint64 // who says so
	LeaderID  uint64 // 0: nobody
	Term      uint64
}

// SPDX-License-Identifier: Apache-2.0

package world

import (
	"context"
	"math/rand/v2"
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
	Name   string `json:"name"`
	Role   Role   `json:"role"`
	Region string `json:"region,omitempty"`
	// Labels are what Drummer knows of a NodeHost besides: its rack, and each of its
	// scenario's labels with LabelValue.
	Labels      map[string]string `json:"labels,omitempty"`
	RaftAddress string            `json:"raft_address"`
	APIAddress  string            `json:"api_address"` // gRPC: NodeHostAPI, or Drummer and NodeHosts
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

	// Start boots every host that does not join later and returns when their processes run. Drummer may
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
	// Local is the API that a running NodeHost serves at an address, as code in its
	// process calls it; false where there is none.
	Local(apiAddress string) (LocalAPI, bool)
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
	// Logs lists the Raft nodes that have a log on the disk of a running NodeHost's
	// host, whether or not they run, by cluster and node.
	Logs(host string) ([]RaftLog, error)
	// RaftNodes looks into the Raft nodes on a running host, likewise.
	RaftNodes(host string) ([]RaftNode, error)
	// DrummerStates looks into all running Drummer servers, in the order of Hosts. One
	// that holds no state yet is left out.
	DrummerStates() []DrummerState
	// Membership asks a Raft cluster for its membership with a linearizable
	// read through the node on the given running host.
	Membership(ctx context.Context, host string, clusterID uint64) (Membership, error)
	// LeaderChanges returns what Dragonboat announced since the last call.
	LeaderChanges() []LeaderChange
	// Watch returns where moments of these kinds come from, from now on. A moment
	// that nobody takes while many more wait is lost. It is called once at most.
	Watch(kinds ...scenarios.Moment) <-chan Moment
	// Upgrades counts the processes of NodeHosts that were booted with another version of
	// the state machine than the process before on their host.
	Upgrades() int
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
	// Shutdown ends the process in good order, in the background: it has ended for
	// the world at once, and Boot waits until it is over.
	Shutdown(host string) (Effect, error)
	// DiskError ends the processes of the hosts each at the next operation of its
	// kind, which fails: Dragonboat's answer to an error of its disk is to end the
	// process. A sync that fails loses what was not synced. It waits a moment for
	// such an operation; a process without one goes on. It returns the effect on each.
	DiskError(operation DiskOperation, hosts ...string) ([]Effect, error)
	// Lose removes the files of a kind from the disk of a host on which no process runs.
	Lose(host string, in DiskFiles) (Effect, error)
	// Rot flips so many bits of files of a kind on the disk of a host on which no process
	// runs; rng draws which.
	Rot(host string, in DiskFiles, bits int, rng *rand.Rand) (Effect, error)
	// CopyDisk copies what a host's disk has synced. restore ends the process, if there is
	// one, and makes the disk what it was; it may be called once or never.
	CopyDisk(host string) (restore func() Effect, err error)
	// SlowDisk makes each sync of the host's disk take a time within [least, most]
	// longer, of this and later processes; 0: not longer.
	SlowDisk(host string, least, most time.Duration) error
	// Pause has a host's process stand still until resume is called, which is to be
	// called once, or until the process ends. One that several have stand still goes on
	// when all have called theirs. It is an error in a world that can't.
	Pause(host string) (resume func() Effect, err error)
	// SetTicks says how Dragonboat's ticks are in processes that are booted on the host
	// from now on.
	SetTicks(host string, ticks Ticks) error
	// SetVersion says of which version of the state machine processes are that are booted
	// on the host of a NodeHost from now on, and reports whether it was another one. A
	// Drummer server has none: there it is an error.
	SetVersion(host string, version int) (changed bool, err error)
	// Version is the one that was set last, or that the deployment began with; 0 on the
	// host of a Drummer server.
	Version(host string) int
	// Tick is Dragonboat's tick on a host where it is as it should be.
	Tick() time.Duration
	// Ask has Dragonboat on a running NodeHost's host do something about the node of
	// a Raft cluster there, and does not wait for it.
	Ask(host string, clusterID uint64, what Asked) error
	// Boot starts the process on what the disk holds. It is an error while the
	// process runs.
	Boot(host string) error
}

// Ticks are Dragonboat's ticks in a process.
type Ticks struct {
	Speed float64 // how many times as fast as they should be; 1: as they should
	Burst int     // how many come at once, after a time without any; 1: as they should
}

// DiskOperation is what a process does with its disk.
type DiskOperation string

// The operations that may fail.
const (
	DiskRead  DiskOperation = "read"
	DiskWrite DiskOperation = "write"
	DiskSync  DiskOperation = "sync"
)

// DiskFiles are a part of what a NodeHost's disk holds.
type DiskFiles string

// The parts of a disk.
const (
	AllFiles      DiskFiles = "any"      // but for what on-disk state machines keep
	LogFiles      DiskFiles = "log"      // Dragonboat's LogDB
	SnapshotFiles DiskFiles = "snapshot" // of Raft clusters
	RecordFiles   DiskFiles = "record"   // all else: who the NodeHost is, what was on the disk
	RaftFiles     DiskFiles = "raft"     // all but what says who the NodeHost is, also of state machines
)

// Asked is what Dragonboat can be asked to do.
type Asked string

// What Dragonboat can be asked for.
const (
	TransferLeader Asked = "transfer-leader" // to another member
	TakeSnapshot   Asked = "snapshot"
	CompactLog     Asked = "compact"
	RemoveLeader   Asked = "remove-leader" // from its cluster, by a membership change
)

// Link is the quality of one direction between two hosts.
type Link struct {
	Cut       bool          // nothing passes
	Drop      float64       // probability that a Raft message is lost
	Duplicate float64       // probability that a Raft message arrives twice; never a forwarded proposal
	Delay     time.Duration // one way
	Jitter    time.Duration // added, uniformly from [0, Jitter)
	Reorder   float64       // probability that a Raft message arrives behind later ones
	Corrupt   float64       // probability that something arrives with a flipped bit
	Bandwidth int64         // bytes a second; 0: any number
	Hold      bool          // what is sent waits until this ends, and then arrives in any order
}

// Network is how a world degrades the links between hosts. "clients" is a host
// of the network too: Clients.
type Network interface {
	// SetLink replaces the quality of from → to.
	SetLink(from, to string, l Link) error
	// ResetConnections resets all connections between two hosts.
	ResetConnections(a, b string) error
	// Traffic counts what links did to messages from and to the given hosts
	// since Start, the stale membership changes that were refused there, and the ticks
	// that came late in a burst; without hosts, to all messages and everywhere.
	Traffic(hosts ...string) Effect
}

// The labels of hosts: the rack is the value of RackLabel, and each label of a scenario
// has LabelValue.
const (
	RackLabel  = "rack"
	LabelValue = "yes"
)

// DrummerDB stands for the Raft cluster of DrummerDB where a ClusterID is asked
// for; the clusters that Drummer looks after have IDs above it.
const DrummerDB uint64 = 0

// Clients is the name of the clients' place in the network.
const Clients = "clients"

// Effect counts what a fault did. The zero value is no effect at all.
type Effect struct {
	ProcessesEnded     int64 `json:"processes_ended,omitempty"`
	DiskErrors         int64 `json:"disk_errors,omitempty"`
	SyncsSlowed        int64 `json:"syncs_slowed,omitempty"`
	BitsFlipped        int64 `json:"bits_flipped,omitempty"`
	DisksRefused       int64 `json:"disks_refused,omitempty"`
	DisksSetBack       int64 `json:"disks_set_back,omitempty"`
	TicksOff           int64 `json:"ticks_off,omitempty"`
	TicksHeld          int64 `json:"ticks_held,omitempty"`
	GoroutinesHeld     int64 `json:"goroutines_held,omitempty"`
	RequestsAccepted   int64 `json:"requests_accepted,omitempty"`
	BytesLost          int64 `json:"bytes_lost,omitempty"`
	FilesLost          int64 `json:"files_lost,omitempty"`
	MessagesDropped    int64 `json:"messages_dropped,omitempty"`
	MessagesDelayed    int64 `json:"messages_delayed,omitempty"`
	MessagesDuplicated int64 `json:"messages_duplicated,omitempty"`
	MessagesReordered  int64 `json:"messages_reordered,omitempty"`
	MessagesCorrupted  int64 `json:"messages_corrupted,omitempty"`
	MessagesHeld       int64 `json:"messages_held,omitempty"`
	BytesHeld          int64 `json:"bytes_held,omitempty"`
	ConnectionsReset   int64 `json:"connections_reset,omitempty"`
	ChangesRefused     int64 `json:"changes_refused,omitempty"`
	FollowersBehind    int64 `json:"followers_behind,omitempty"`
	HostsJoined        int64 `json:"hosts_joined,omitempty"`
	HostsUpgraded      int64 `json:"hosts_upgraded,omitempty"`
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
		{&e.DiskErrors, "disk error", "disk errors"},
		{&e.SyncsSlowed, "sync slowed", "syncs slowed"},
		{&e.BitsFlipped, "bit flipped", "bits flipped"},
		{&e.DisksRefused, "damaged disk refused", "damaged disks refused"},
		{&e.DisksSetBack, "disk set back to an old copy", "disks set back to old copies"},
		{&e.TicksOff, "tick too many or too few", "ticks too many or too few"},
		{&e.TicksHeld, "tick late, in a burst", "ticks late, in bursts"},
		{&e.GoroutinesHeld, "goroutine held", "goroutines held"},
		{&e.RequestsAccepted, "request accepted", "requests accepted"},
		{&e.BytesLost, "byte lost", "bytes lost"},
		{&e.FilesLost, "file lost", "files lost"},
		{&e.MessagesDropped, "message dropped", "messages dropped"},
		{&e.MessagesDelayed, "message delayed", "messages delayed"},
		{&e.MessagesDuplicated, "message duplicated", "messages duplicated"},
		{&e.MessagesReordered, "message reordered", "messages reordered"},
		{&e.MessagesCorrupted, "message corrupted", "messages corrupted"},
		{&e.MessagesHeld, "message held", "messages held"},
		{&e.BytesHeld, "byte held back", "bytes held back"},
		{&e.ConnectionsReset, "connection reset", "connections reset"},
		{&e.ChangesRefused, "stale membership change refused", "stale membership changes refused"},
		{&e.FollowersBehind, "follower left behind", "followers left behind"},
		{&e.HostsJoined, "host joined", "hosts joined"},
		{&e.HostsUpgraded, "host given another version", "hosts given another version"},
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

// RaftLog names a Raft node that has a log on a disk.
type RaftLog struct{ ClusterID, NodeID uint64 }

// DrummerState is what a Drummer server holds of DrummerDB.
type DrummerState struct {
	Host   string
	NodeID uint64
	// Index is that of the last command applied.
	Index uint64
	// Digest identifies the state. It is computed by the call, from what the server
	// held when it was looked into.
	Digest func() string
}

// Membership is what a Raft cluster itself says of its members.
type Membership struct {
	ConfigID  uint64
	Voters    map[uint64]string // NodeID → RaftAddress
	Observers map[uint64]string
	Witnesses map[uint64]string
	Removed   []uint64 // members once, in order; never nil
}

// Moment is something that Dragonboat or Drummer did.
type Moment struct {
	Kind    scenarios.Moment
	At      time.Time
	Host    string
	Cluster uint64 // DrummerDB: of the Drummer servers, or of no cluster
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

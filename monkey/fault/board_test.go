// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// board is a world of switches, with three Drummers and five NodeHosts: it
// remembers what was done to it.
type board struct {
	start time.Time
	// powerLossTakes is how long a power loss waits.
	powerLossTakes time.Duration

	mu        sync.Mutex
	up        map[string]bool
	quality   map[pair]world.Link // of the links that are not perfect
	log       []string
	leader    string
	joining   string
	unsafe    bool   // losing any host costs a quorum
	full      int    // how many more drains there is no room for
	degraded  bool   // losing any host for good does
	rotten    string // the host that does not start on its disk
	broken    bool   // no host boots
	compacted bool
	readings  int64
	moments   chan world.Moment
	operators int // who ask for stale changes
	versions  map[string]int
}

func newBoard() *board {
	b := &board{start: time.Now(), up: map[string]bool{}, quality: map[pair]world.Link{}, versions: map[string]int{}, leader: "drummer-1", moments: make(chan world.Moment, 8)}
	for _, h := range b.Hosts() {
		b.up[h.Name] = true
	}
	return b
}

func (b *board) Hosts() []world.Host { return hosts(3, 5) }

// host finds a host by its name; the clients' place has no role.
func (b *board) host(name string) world.Host {
	for _, h := range b.Hosts() {
		if h.Name == name {
			return h
		}
	}
	return world.Host{Name: name}
}

// set changes a switch of the board, while an injector works.
func (b *board) set(change func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change()
}

func (b *board) note(what, host string) {
	b.log = append(b.log, fmt.Sprintf("%v %s %s", time.Since(b.start), what, host))
}

func (b *board) stop(what, host string) (world.Effect, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.note(what, host)
	b.up[host] = false
	return world.Effect{ProcessesEnded: 1}, nil
}

func (b *board) Kill(h string) (world.Effect, error) { return b.stop("kill", h) }

func (b *board) Wipe(h string) (world.Effect, error) {
	b.set(func() { b.rotten = "" })
	return b.stop("wipe", h)
}

func (b *board) Lose(h string, in world.DiskFiles) (world.Effect, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.note(fmt.Sprintf("%s files lost", in), h)
	b.rotten = h
	return world.Effect{FilesLost: 1}, nil
}

func (b *board) Rot(h string, in world.DiskFiles, bits int, _ *rand.Rand) (world.Effect, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.note(fmt.Sprintf("%d bits of %s files flipped", bits, in), h)
	b.rotten = h
	return world.Effect{BitsFlipped: int64(bits)}, nil
}

func (b *board) CopyDisk(h string) (func() world.Effect, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.note("copy", h)
	return func() world.Effect {
		e, _ := b.stop("restore", h)
		e.DisksSetBack = 1
		return e
	}, nil
}

func (b *board) Shutdown(h string) (world.Effect, error) { return b.stop("stop", h) }

func (b *board) DiskError(operation world.DiskOperation, hosts ...string) ([]world.Effect, error) {
	var effects []world.Effect
	for _, h := range hosts {
		e, _ := b.stop("error on "+string(operation), h)
		e.DiskErrors = 1
		effects = append(effects, e)
	}
	return effects, nil
}

func (b *board) SlowDisk(h string, least, most time.Duration) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.note(fmt.Sprintf("syncs %v to %v slower", least, most), h)
	return nil
}

func (b *board) Pause(h string) (func() world.Effect, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.note("pause", h)
	return func() world.Effect {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.note("resume", h)
		return world.Effect{GoroutinesHeld: 1}
	}, nil
}

func (b *board) SetTicks(h string, t world.Ticks) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.note(fmt.Sprintf("ticks %v as fast, %d at once", t.Speed, t.Burst), h)
	return nil
}

func (b *board) SetVersion(h string, version int) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	changed := b.version(h) != version
	b.note(fmt.Sprintf("version %d", version), h)
	b.versions[h] = version
	return changed, nil
}

func (b *board) Version(h string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.version(h)
}

// version is 1 until another one is set.
func (b *board) version(h string) int { return max(1, b.versions[h]) }

func (b *board) Tick() time.Duration { return 100 * time.Millisecond }

func (b *board) Ask(h string, cluster uint64, what world.Asked) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.note(fmt.Sprintf("%s of cluster %d", what, cluster), h)
	return nil
}

func (b *board) PowerLoss(hosts ...string) ([]world.Effect, error) {
	time.Sleep(b.powerLossTakes)
	var effects []world.Effect
	for i, h := range hosts {
		e, _ := b.stop("power-loss", h)
		e.BytesLost = int64(i + 1)
		effects = append(effects, e)
	}
	return effects, nil
}

func (b *board) Boot(h string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rotten == h {
		return errors.New("a checksum is wrong")
	}
	if b.broken {
		return errors.New("the disk is full of holes")
	}
	b.note("boot", h)
	b.up[h] = true
	return nil
}

func (b *board) Running(h string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.up[h]
}

func (b *board) SetLink(from, to string, q world.Link) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.quality[pair{from, to}] = q; q == (world.Link{}) {
		delete(b.quality, pair{from, to})
	}
	return nil
}

func (b *board) ResetConnections(x, y string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.note("reset "+x, y)
	return nil
}

// link returns the quality of from → to.
func (b *board) link(from, to string) world.Link {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.quality[pair{from, to}]
}

// links returns the links that are not perfect.
func (b *board) links() map[pair]world.Link {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.quality)
}

// journal lists what was done to processes, and when.
func (b *board) journal() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.log)
}

// reaches lists which hosts, and the clients, host's messages get to.
func (b *board) reaches(host string) []string {
	var all []string
	for _, h := range append(b.Hosts(), world.Host{Name: world.Clients}) {
		if h.Name != host && !b.link(host, h.Name).Cut {
			all = append(all, h.Name)
		}
	}
	return all
}

// Traffic has one more of everything at each reading.
func (b *board) Traffic(...string) world.Effect {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.readings++
	n := b.readings
	return world.Effect{MessagesDropped: n, MessagesDelayed: n, MessagesDuplicated: n, MessagesReordered: n, MessagesCorrupted: n, MessagesHeld: n, SyncsSlowed: n, TicksHeld: n,
		BytesHeld: n, ConnectionsReset: n, ChangesRefused: n}
}

func (b *board) Local(string) (world.LocalAPI, bool) { return nil, false }

func (b *board) DrummerLeader() (string, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.leader, b.leader != ""
}

func (b *board) JoiningHost() (string, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.joining, b.joining != ""
}

// safe is what the injector asks before it strikes.
func (b *board) safe(_, _ []string, forever bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.unsafe && !(b.degraded && forever)
}

func (b *board) StaleChanges(host string) (stop func(), err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.note("stale changes", host)
	b.operators++
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.operators--
	}, nil
}

func (b *board) Capabilities() []scenarios.Capability { return nil }
func (b *board) ClusterLeader(uint64) (string, bool)  { return "nodehost-3", true }
func (b *board) Start(context.Context) error          { return nil }
func (b *board) Stop()                                {}
func (b *board) LeaderChanges() []world.LeaderChange  { return nil }
func (b *board) Watch(...scenarios.Moment) <-chan world.Moment {
	return b.moments
}
func (b *board) Examine() []string                    { return nil }
func (b *board) Upgrades() int                        { return 0 }
func (b *board) DrummerStates() []world.DrummerState  { return nil }
func (b *board) Logs(string) ([]world.RaftLog, error) { return nil, nil }
func (b *board) DialContext(context.Context, string) (net.Conn, error) {
	return nil, net.ErrClosed
}

// Inspect shows cluster 7, and any other, on the first three NodeHosts.
func (b *board) Inspect(_ context.Context, host string) (world.Inspection, error) {
	in := world.Inspection{Host: host}
	voters := map[uint64]string{1: "nodehost-1:1", 2: "nodehost-2:1", 3: "nodehost-3:1"}
	for node, address := range voters {
		for cluster := uint64(1); cluster <= 16 && world.HostOf(address) == host; cluster++ {
			in.Nodes = append(in.Nodes, world.Node{ClusterID: cluster, NodeID: node, Ready: true, IsLeader: node == 3, ConfigID: 1, Voters: voters})
		}
	}
	return in, nil
}

// RaftNodes shows cluster 7, whose leader has dropped entries once b.compacted.
func (b *board) RaftNodes(host string) ([]world.RaftNode, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := world.RaftNode{ClusterID: 7, Role: "follower", Term: 2, FirstIndex: 1, LastIndex: 10}
	if host == "nodehost-3" {
		n.Role, n.LastIndex = "leader", 50
		if b.compacted {
			n.FirstIndex = 40
		}
	}
	return []world.RaftNode{n}, nil
}

func (b *board) Membership(context.Context, string, uint64) (world.Membership, error) {
	return world.Membership{}, nil
}

// record is a Log in memory.
type record struct {
	start   time.Time
	mu      sync.Mutex
	entries []timeline.Entry
}

func (r *record) Since(t time.Time) time.Duration { return t.Sub(r.start) }
func (r *record) Add(f timeline.Fact) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.entries = append(r.entries, timeline.Entry{At: r.Since(time.Now()), Fact: f})
}

// began returns the recorded begin of an injection.
func (r *record) began(t *testing.T, id int) timeline.InjectionBegan {
	t.Helper()
	for _, e := range r.entries {
		if f, ok := e.Fact.(timeline.InjectionBegan); ok && f.ID == id {
			return f
		}
	}
	require.Fail(t, "the injection did not begin", "%d in %v", id, r.entries)
	return timeline.InjectionBegan{}
}

// facts returns what of a type was recorded.
func facts[F timeline.Fact](r *record) []F {
	var all []F
	for _, e := range r.entries {
		if f, ok := e.Fact.(F); ok {
			all = append(all, f)
		}
	}
	return all
}

// planOf plans the faults of a scenario that lasts a minute, one a line as in a
// file.
func planOf(t *testing.T, faults ...string) []Step {
	t.Helper()
	s, err := scenarios.Parse("test.yaml", []byte("name: test\nduration: 1m\nfaults:\n  - {"+strings.Join(faults, "}\n  - {")+"}\n"))
	require.NoError(t, err)
	return Plan(s, hosts(s.Deployment.Drummers, s.Deployment.NodeHosts), 1)
}

// carryOut runs steps for a minute on a board, then heals. A function that is to
// be called at a time is called meanwhile, on the test's goroutine.
func carryOut(t *testing.T, b *board, steps []Step, meanwhile map[time.Duration]func()) *record {
	t.Helper()
	r := &record{start: b.start}
	in := NewInjector(b, r, b.safe, b)
	done := make(chan error, 1)
	go func() {
		err := in.Run(t.Context(), time.Now(), time.Minute, steps)
		done <- errors.Join(err, in.Heal())
	}()
	for _, at := range slices.Sorted(maps.Keys(meanwhile)) {
		time.Sleep(time.Until(b.start.Add(at)))
		meanwhile[at]()
	}
	require.NoError(t, <-done)
	return r
}

// strikes carries out one fault on a board, for 10 s from 5 s on, and calls
// during in the middle. It checks that the board is as before when the fault
// has ended, and returns its recorded effect.
func strikes(t *testing.T, fault string, during func(t *testing.T, b *board)) world.Effect {
	t.Helper()
	var effect world.Effect
	synctest.Test(t, func(t *testing.T) {
		b := newBoard()
		r := carryOut(t, b, planOf(t, fault+", at: [5s], for: 10s"), map[time.Duration]func(){
			4 * time.Second:  func() { require.Empty(t, b.links(), "before it begins"); require.Empty(t, b.journal()) },
			10 * time.Second: func() { during(t, b) },
			16 * time.Second: func() { requireWhole(t, b) },
		})
		require.Equal(t, 5*time.Second, r.began(t, 1).Planned)
		ended := facts[timeline.InjectionEnded](r)
		require.Len(t, ended, 1)
		effect = *ended[0].Effect
		requireOwnEffect(t, r.began(t, 1).Fault, effect)
	})
	return effect
}

// requireOwnEffect checks that a kind has no other effect than it says.
func requireOwnEffect(t *testing.T, kind string, effect world.Effect) {
	t.Helper()
	text, err := json.Marshal(effect)
	require.NoError(t, err)
	counts := map[string]int64{}
	require.NoError(t, json.Unmarshal(text, &counts))
	require.Subset(t, behaviours[kind].Effect, slices.Collect(maps.Keys(counts)), kind)
}

// requireWhole checks that everything runs and reaches everything.
func requireWhole(t *testing.T, b *board) {
	t.Helper()
	require.Empty(t, b.links())
	b.set(func() { require.Zero(t, b.operators) })
	for _, h := range b.Hosts() {
		require.True(t, b.Running(h.Name), "%s runs", h.Name)
	}
}

// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// board is a world of switches: it remembers what was done to it.
type board struct {
	start   time.Time
	up      map[string]bool
	links   map[pair]world.Link
	journal []string
	leader  string
	dropped int64
	unsafe  atomic.Bool // losing any host costs a quorum
	mu      sync.Mutex  // guards links
	broken  bool        // no host boots
}

func newBoard() *board {
	b := &board{start: time.Now(), up: map[string]bool{}, links: map[pair]world.Link{}, leader: "drummer1"}
	for _, h := range b.Hosts() {
		b.up[h.Name] = true
	}
	return b
}

func (b *board) Hosts() []world.Host {
	return []world.Host{{Name: "drummer1", Role: world.Drummer}, {Name: "nodehost1", Role: world.NodeHost}, {Name: "nodehost2", Role: world.NodeHost}}
}

func (b *board) note(what, host string) {
	b.journal = append(b.journal, fmt.Sprintf("%v %s %s", time.Since(b.start), what, host))
}

func (b *board) stop(what, host string) (world.Effect, error) {
	b.note(what, host)
	b.up[host] = false
	return world.Effect{ProcessesEnded: 1}, nil
}

func (b *board) Capabilities() []scenarios.Capability { return nil }
func (b *board) Membership(context.Context, string, uint64) (world.Membership, error) {
	return world.Membership{}, nil
}
func (b *board) JoiningHost() (string, bool)         { return "", false }
func (b *board) ClusterLeader(uint64) (string, bool) { return "", false }
func (b *board) Start(context.Context) error         { return nil }
func (b *board) Stop()                               {}
func (b *board) Running(h string) bool               { return b.up[h] }
func (b *board) Kill(h string) (world.Effect, error) { return b.stop("kill", h) }
func (b *board) PowerLoss(hosts ...string) ([]world.Effect, error) {
	var effects []world.Effect
	for _, h := range hosts {
		e, _ := b.stop("power-loss", h)
		effects = append(effects, e)
	}
	return effects, nil
}
func (b *board) Wipe(h string) (world.Effect, error) { return b.stop("wipe", h) }
func (b *board) DrummerLeader() (string, bool)       { return b.leader, b.leader != "" }
func (b *board) LeaderChanges() []world.LeaderChange { return nil }
func (b *board) Examine() []string                   { return nil }
func (b *board) Boot(h string) error {
	if b.broken {
		return errors.New("the disk is full of holes")
	}
	b.note("boot", h)
	b.up[h] = true
	return nil
}
func (b *board) SetLink(from, to string, q world.Link) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.links[pair{from, to}] = q
	return nil
}

func (b *board) link(p pair) world.Link {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.links[p]
}
func (b *board) Traffic(...string) world.Effect {
	b.dropped++
	return world.Effect{MessagesDropped: b.dropped}
}
func (b *board) DialContext(context.Context, string) (net.Conn, error) { return nil, net.ErrClosed }
func (b *board) Inspect(context.Context, string) (world.Inspection, error) {
	return world.Inspection{}, nil
}

func (b *board) safe([]string) bool { return !b.unsafe.Load() }

// carryOut runs steps for a minute on a board of switches, then heals.
func carryOut(t *testing.T, b *board, steps ...Step) *Injector {
	t.Helper()
	events, err := timeline.Create(t.TempDir(), b.start)
	require.NoError(t, err)
	in := NewInjector(b, events, b.safe)
	require.NoError(t, in.Run(t.Context(), b.start, time.Minute, steps))
	require.NoError(t, in.Heal())
	require.NoError(t, events.Close())
	return in
}

func TestInjectorEndsAndBootsOnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard()
		carryOut(t, b,
			Step{ID: 1, At: 5 * time.Second, Hosts: []string{"nodehost1"}, For: 20 * time.Second, Fault: &scenarios.Fault{Kind: "kill"}},
			Step{ID: 2, At: 10 * time.Second, Hosts: []string{"nodehost2"}, For: 5 * time.Second, Fault: &scenarios.Fault{Kind: "power-loss"}},
			Step{ID: 3, At: 50 * time.Second, For: time.Hour, Fault: &scenarios.Fault{Kind: "kill", Target: scenarios.Target{Class: scenarios.DrummerLeader}}})
		require.Equal(t, []string{
			"5s kill nodehost1", "10s power-loss nodehost2", "15s boot nodehost2",
			"25s boot nodehost1", "50s kill drummer1", "1m0s boot drummer1",
		}, b.journal)
	})
}

func TestInjectorLeavesTheDeadDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard()
		in := carryOut(t, b,
			Step{ID: 1, At: time.Second, Hosts: []string{"nodehost1"}, Fault: &scenarios.Fault{Kind: "kill", Forever: true}},
			Step{ID: 2, At: 2 * time.Second, Hosts: []string{"nodehost1"}, For: time.Second, Fault: &scenarios.Fault{Kind: "kill"}})
		require.Equal(t, []string{"1s kill nodehost1"}, b.journal)
		require.Equal(t, map[string]bool{"nodehost1": true}, in.dead)
	})
}

func TestOverlappingFaultsShareLinks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard()
		cut := pair{"nodehost1", "nodehost2"}
		events, err := timeline.Create(t.TempDir(), b.start)
		require.NoError(t, err)
		in := NewInjector(b, events, b.safe)
		defer events.Close()
		go func() {
			time.Sleep(15 * time.Second)
			require.Equal(t, world.Link{Cut: true, Drop: 0.5}, b.link(cut), "both faults")
			time.Sleep(10 * time.Second)
			require.Equal(t, world.Link{Drop: 0.5}, b.link(cut), "the partition ended, the loss goes on")
		}()
		require.NoError(t, in.Run(t.Context(), b.start, time.Minute, []Step{
			{ID: 1, At: 5 * time.Second, Hosts: []string{"nodehost1"}, For: 15 * time.Second, Fault: &scenarios.Fault{Kind: "partition"}},
			{ID: 2, At: 10 * time.Second, Hosts: []string{"nodehost2"}, For: 30 * time.Second, Fault: &scenarios.Fault{Kind: "lossy", Parameters: &lossy{Drop: 50}}},
		}))
		for p, q := range b.links {
			require.Zero(t, q, "%v after both ended", p)
		}
	})
}

func TestAFaultWaitsForTheQuorumAndIsSkippedInTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard()
		b.unsafe.Store(true)
		go func() {
			time.Sleep(19500 * time.Millisecond)
			b.unsafe.Store(false)
		}()
		carryOut(t, b,
			Step{ID: 1, At: 5 * time.Second, Hosts: []string{"nodehost1"}, For: 10 * time.Second, Fault: &scenarios.Fault{Kind: "kill"}})
		require.Equal(t, []string{"20s kill nodehost1", "30s boot nodehost1"}, b.journal)

		c := newBoard()
		c.unsafe.Store(true)
		carryOut(t, c,
			Step{ID: 1, At: 5 * time.Second, Hosts: []string{"nodehost1"}, For: 10 * time.Second, Fault: &scenarios.Fault{Kind: "kill"}},
			Step{ID: 2, At: 6 * time.Second, Hosts: []string{"nodehost2"}, For: time.Second, Fault: &scenarios.Fault{Kind: "kill", LoseQuorum: true}})
		require.Equal(t, []string{"6s kill nodehost2", "7s boot nodehost2"}, c.journal, "the first waits in vain, and holds nobody up")
	})
}

func TestAHostThatDoesNotBootIsAFinding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard()
		b.broken = true
		dir := t.TempDir()
		events, err := timeline.Create(dir, b.start)
		require.NoError(t, err)
		in := NewInjector(b, events, b.safe)
		require.NoError(t, in.Run(t.Context(), b.start, time.Minute, []Step{
			{ID: 1, At: time.Second, Hosts: []string{"nodehost1"}, For: time.Second, Fault: &scenarios.Fault{Kind: "kill"}}}))
		require.NoError(t, events.Close())
		record, err := timeline.Read(dir)
		require.NoError(t, err)
		require.Equal(t, record.Entries[len(record.Entries)-1].Fact, timeline.BootFailed{Host: "nodehost1", Error: "the disk is full of holes"})
	})
}

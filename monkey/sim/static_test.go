// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lni/dragonboat/v3"
	"github.com/lni/dragonboat/v3/config"
	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/drummer/agent"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

const staticRTT = 20 * time.Millisecond

// staticRaft is what a cluster runs with, changed by change.
func staticRaft(change func(c *config.Config)) config.Config {
	c := config.Config{ElectionRTT: 10, HeartbeatRTT: 1, CheckQuorum: true, OrderedConfigChange: true}
	if change != nil {
		change(&c)
	}
	return c
}

// inStatic runs f in a bubble with a world without Drummers: five NodeHosts with
// one cluster of so many members of each role, led by somebody.
func inStatic(t *testing.T, voters, observers, witnesses int, raft config.Config, f func(t *testing.T, w *World)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := StaticCluster{ID: 1, Application: statemachine.RegularName, Raft: raft,
			Voters: map[uint64]string{}, Observers: map[uint64]string{}, Witnesses: map[uint64]string{}}
		node := uint64(0)
		for _, role := range []struct {
			members map[uint64]string
			n       int
		}{{c.Voters, voters}, {c.Observers, observers}, {c.Witnesses, witnesses}} {
			for range role.n {
				node++
				role.members[node] = "nodehost-" + string(rune('0'+node)) + ":1"
			}
		}
		w := New(Config{
			Deployment: scenarios.Deployment{NodeHosts: 5}, RTT: staticRTT, Seed: 3, Static: []StaticCluster{c},
			Applications: func(e Environment) map[string]agent.Application {
				return statemachine.Registry(e.FS, e.Dir, statemachine.Correct)
			},
			Logger: func(string) *slog.Logger { return slog.New(slog.DiscardHandler) },
		})
		defer w.Stop()
		require.NoError(t, w.Start(t.Context()))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.NoError(t, w.AddStandingMembers(ctx))
		require.Eventually(t, func() bool { _, ok := w.ClusterLeader(1); return ok }, time.Minute, 100*time.Millisecond)
		f(t, w)
	})
}

// propose has a host's node propose a value, and returns what came of it.
func propose(t *testing.T, w *World, host, value string, limit time.Duration) error {
	t.Helper()
	p, err := w.nodeHost(host)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	_, err = p.dragonboat.SyncPropose(ctx, p.dragonboat.GetNoOPSession(1), kv.Command{Op: kv.Put, Key: "k", Value: kv.Some(value), Writer: "w"}.Encode())
	return err
}

func read(t *testing.T, w *World, host string) (string, error) {
	t.Helper()
	p, err := w.nodeHost(host)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	answer, err := p.dragonboat.SyncRead(ctx, 1, kv.GetQuery("k"))
	if err != nil {
		return "", err
	}
	a, err := kv.DecodeAnswer(answer.([]byte))
	return a.Observed.Value.Text, err
}

func leader(t *testing.T, w *World) string {
	t.Helper()
	name := ""
	require.Eventually(t, func() bool {
		var ok bool
		name, ok = w.ClusterLeader(1)
		return ok
	}, time.Minute, 100*time.Millisecond)
	return name
}

func role(t *testing.T, w *World, host string) string {
	t.Helper()
	nodes, err := w.RaftNodes(host)
	require.NoError(t, err)
	require.Len(t, nodes, 1)
	return nodes[0].Role
}

// cutFromPeers takes a NodeHost's links to the others, or gives them back.
func cutFromPeers(t *testing.T, w *World, host string, cut bool) {
	t.Helper()
	for _, h := range w.Hosts() {
		if h.Name != host {
			require.NoError(t, w.SetLink(host, h.Name, world.Link{Cut: cut}))
			require.NoError(t, w.SetLink(h.Name, host, world.Link{Cut: cut}))
		}
	}
}

func TestNodeHostsWithoutDrummerStartTheirNodesAgain(t *testing.T) {
	inStatic(t, 3, 1, 0, staticRaft(nil), func(t *testing.T, w *World) {
		require.NoError(t, propose(t, w, "nodehost-1", "kept", 5*time.Second))
		for _, h := range w.Hosts() {
			_, err := w.Kill(h.Name)
			require.NoError(t, err)
		}
		time.Sleep(time.Second)
		for _, h := range w.Hosts() {
			require.NoError(t, w.Boot(h.Name))
		}
		for _, host := range []string{"nodehost-1", "nodehost-2", "nodehost-3", "nodehost-4"} {
			require.Eventually(t, func() bool {
				v, err := read(t, w, host)
				return err == nil && v == "kept"
			}, time.Minute, time.Second, host)
		}
		in, err := w.Inspect(t.Context(), "nodehost-5")
		require.NoError(t, err)
		require.Empty(t, in.Nodes)
	})
}

func TestStandingMembersHaveTheirRoles(t *testing.T) {
	inStatic(t, 2, 1, 1, staticRaft(nil), func(t *testing.T, w *World) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		m, err := w.Membership(ctx, leader(t, w), 1)
		require.NoError(t, err)
		require.Equal(t, map[uint64]string{3: "nodehost-3:1"}, m.Observers)
		require.Equal(t, map[uint64]string{4: "nodehost-4:1"}, m.Witnesses)
		require.Eventually(t, func() bool { return role(t, w, "nodehost-3") == "observer" && role(t, w, "nodehost-4") == "witness" },
			time.Minute, time.Second)
		require.NoError(t, propose(t, w, "nodehost-1", "first", 5*time.Second))
		require.Eventually(t, func() bool { v, err := read(t, w, "nodehost-3"); return err == nil && v == "first" },
			time.Minute, time.Second, "an observer answers reads")

		// The vote of the witness makes up for a voter that is lost.
		_, err = w.Kill("nodehost-2")
		require.NoError(t, err)
		require.Eventually(t, func() bool { return propose(t, w, "nodehost-1", "second", time.Second) == nil }, time.Minute, time.Second)
		_, err = w.Kill("nodehost-4")
		require.NoError(t, err)
		require.Error(t, propose(t, w, "nodehost-1", "third", 5*time.Second), "that of the observer does not")
	})
}

// TestFindingWitnessIsNotListedAsOne shows what docs/findings.md describes.
func TestFindingWitnessIsNotListedAsOne(t *testing.T) {
	inStatic(t, 2, 1, 1, staticRaft(nil), func(t *testing.T, w *World) {
		require.NoError(t, propose(t, w, "nodehost-1", "x", 5*time.Second))
		time.Sleep(time.Second)
		for host, observer := range map[string]bool{"nodehost-3": true, "nodehost-4": false} {
			p, err := w.nodeHost(host)
			require.NoError(t, err)
			info := p.dragonboat.GetNodeHostInfo(dragonboat.NodeHostInfoOption{SkipLogInfo: true}).ClusterInfoList
			require.Len(t, info, 1)
			require.Equal(t, observer, info[0].IsObserver, host)
			require.False(t, info[0].IsWitness, "Dragonboat is mended: world.Node.IsWitness can come from it, and the finding goes")
		}
		require.Equal(t, "witness", role(t, w, "nodehost-4"))
	})
}

// messages counts what NodeHosts send to each other within a time.
func messages(w *World, d time.Duration) int64 {
	before := w.net.Total().Delivered
	time.Sleep(d)
	return w.net.Total().Delivered - before
}

func TestAClusterThatIsNotUsedQuiesces(t *testing.T) {
	idle := func(quiesce bool) (n int64) {
		inStatic(t, 3, 0, 0, staticRaft(func(c *config.Config) { c.Quiesce = quiesce }), func(t *testing.T, w *World) {
			require.NoError(t, propose(t, w, "nodehost-1", "x", 5*time.Second))
			time.Sleep(time.Minute)
			n = messages(w, time.Minute)
			require.Eventually(t, func() bool { return propose(t, w, "nodehost-1", "y", time.Second) == nil }, 30*time.Second, time.Second, "it wakes")
		})
		return n
	}
	awake, asleep := idle(false), idle(true)
	require.Greater(t, awake, int64(5000))
	require.Less(t, asleep, awake/100)
}

func TestHeartbeatsComeAsOftenAsTheOptionSays(t *testing.T) {
	idle := func(rtt uint64) (n int64) {
		inStatic(t, 3, 0, 0, staticRaft(func(c *config.Config) { c.HeartbeatRTT = rtt }), func(t *testing.T, w *World) {
			n = messages(w, time.Minute)
		})
		return n
	}
	require.InEpsilon(t, 4, float64(idle(1))/float64(idle(4)), 0.1)
}

func TestElectionsBeginWhenTheOptionSays(t *testing.T) {
	took := func(rtt uint64) (d time.Duration) {
		inStatic(t, 3, 0, 0, staticRaft(func(c *config.Config) { c.ElectionRTT = rtt }), func(t *testing.T, w *World) {
			_, err := w.Kill(leader(t, w))
			require.NoError(t, err)
			began := time.Now()
			leader(t, w)
			d = time.Since(began)
		})
		return d
	}
	require.Less(t, took(10), 20*staticRTT+time.Second)
	require.GreaterOrEqual(t, took(200), 200*staticRTT)
}

func TestALeaderWithoutAQuorumStepsDownOnlyWithCheckQuorum(t *testing.T) {
	for _, check := range []bool{true, false} {
		inStatic(t, 3, 0, 0, staticRaft(func(c *config.Config) { c.CheckQuorum = check }), func(t *testing.T, w *World) {
			old := leader(t, w)
			cutFromPeers(t, w, old, true)
			time.Sleep(50 * staticRTT)
			require.Equal(t, check, role(t, w, old) != "leader", "CheckQuorum %t: it is %s", check, role(t, w, old))
		})
	}
}

func TestAFullLogInMemoryRefusesProposals(t *testing.T) {
	refused := func(size uint64) (n int) {
		inStatic(t, 3, 0, 0, staticRaft(func(c *config.Config) { c.MaxInMemLogSize, c.CheckQuorum = size, false }), func(t *testing.T, w *World) {
			old := leader(t, w)
			cutFromPeers(t, w, old, true)
			for range 20 {
				if err := propose(t, w, old, strings.Repeat("v", 500), 10*staticRTT); err == dragonboat.ErrSystemBusy {
					n++
				} else {
					require.Equal(t, dragonboat.ErrTimeout, err)
				}
			}
			cutFromPeers(t, w, old, false)
			require.Eventually(t, func() bool { return propose(t, w, old, "after", time.Second) == nil }, time.Minute, time.Second)
		})
		return n
	}
	require.Zero(t, refused(0))
	require.Greater(t, refused(2000), 10)
}

func TestAStaleConfigChangeIsRefusedOnlyIfTheyAreOrdered(t *testing.T) {
	for _, ordered := range []bool{true, false} {
		inStatic(t, 3, 0, 0, staticRaft(func(c *config.Config) { c.OrderedConfigChange = ordered }), func(t *testing.T, w *World) {
			p, err := w.nodeHost(leader(t, w))
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			err = p.dragonboat.SyncRequestAddObserver(ctx, 1, 9, "nodehost-5:1", 12345)
			if ordered {
				require.ErrorIs(t, err, dragonboat.ErrRejected)
			} else {
				require.NoError(t, err)
			}
		})
	}
}

// longestRun is the length of the longest run of x in any file of a host whose
// path contains all of words.
func longestRun(t *testing.T, w *World, host string, words ...string) int {
	t.Helper()
	fs, longest := w.byName[host].disk.Mount(), 0
	var walk func(dir string)
	walk = func(dir string) {
		names, err := fs.List(dir)
		require.NoError(t, err)
		for _, name := range names {
			path := dir + "/" + name
			info, err := fs.Stat(path)
			require.NoError(t, err)
			if info.IsDir() {
				walk(path)
				continue
			}
			wanted := true
			for _, word := range words {
				wanted = wanted && strings.Contains(path, word)
			}
			if !wanted {
				continue
			}
			f, err := fs.Open(path)
			require.NoError(t, err)
			content, err := io.ReadAll(f)
			require.NoError(t, err)
			require.NoError(t, f.Close())
			for longest < 4000 && bytes.Contains(content, bytes.Repeat([]byte("x"), longest+1)) {
				longest++
			}
		}
	}
	walk(raftDir)
	return longest
}

func TestEntriesAndSnapshotsAreCompressed(t *testing.T) {
	for _, compression := range []config.CompressionType{config.NoCompression, config.Snappy} {
		inStatic(t, 3, 0, 0, staticRaft(func(c *config.Config) {
			c.EntryCompressionType, c.SnapshotCompressionType, c.SnapshotEntries = compression, compression, 5
		}), func(t *testing.T, w *World) {
			for range 10 {
				require.NoError(t, propose(t, w, "nodehost-1", strings.Repeat("x", 2000), 5*time.Second))
			}
			time.Sleep(time.Second)
			_, err := w.Kill("nodehost-1")
			require.NoError(t, err)
			entry, snapshot := longestRun(t, w, "nodehost-1", "logdb"), longestRun(t, w, "nodehost-1", ".gbsnap")
			if compression == config.NoCompression {
				require.GreaterOrEqual(t, entry, 2000)
				require.GreaterOrEqual(t, snapshot, 2000)
			} else {
				require.Less(t, entry, 100)
				require.Less(t, snapshot, 100)
				require.Positive(t, snapshot, "there is one")
			}
			require.NoError(t, w.Boot("nodehost-1"))
			require.Eventually(t, func() bool { v, err := read(t, w, "nodehost-1"); return err == nil && len(v) == 2000 }, time.Minute, time.Second)
		})
	}
}

func TestSnapshotsAreMadeAsOftenAsTheOptionSays(t *testing.T) {
	for _, entries := range []uint64{0, 5} {
		inStatic(t, 3, 0, 0, staticRaft(func(c *config.Config) { c.SnapshotEntries = entries }), func(t *testing.T, w *World) {
			for range 10 {
				require.NoError(t, propose(t, w, "nodehost-1", "xxx", 5*time.Second))
			}
			time.Sleep(time.Second)
			_, err := w.Kill("nodehost-1")
			require.NoError(t, err)
			require.Equal(t, entries > 0, longestRun(t, w, "nodehost-1", ".gbsnap") >= 3)
		})
	}
}

// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/drummer/agent"
	"github.com/drumbeat-raft/drumbeat/drummer/client"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// inWorld runs f in a bubble with a world of three Drummers and four NodeHosts
// that runs one cluster of three nodes, and ends the world.
func inWorld(t *testing.T, f func(t *testing.T, w *World, c *client.Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := New(Config{
			Deployment: scenarios.Deployment{Drummers: 3, NodeHosts: 4, Regions: []string{"a", "b"}},
			Drummer:    scenarios.Drummer{Heartbeat: scenarios.Duration(time.Second), TimeToLive: scenarios.Duration(15 * time.Second)},
			RTT:        100 * time.Millisecond,
			Seed:       7,
			Applications: func(e Environment) map[string]agent.Application {
				return statemachine.Registry(e.FS, e.Dir, statemachine.Correct)
			},
			Logger: func(string) *slog.Logger { return slog.New(slog.DiscardHandler) },
		})
		defer w.Stop()
		require.NoError(t, w.Start(t.Context()))
		c, err := client.New(client.Config{Drummers: w.drummerAPIs(), Dial: w.DialContext})
		require.NoError(t, err)
		defer c.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.NoError(t, c.Define(ctx, "a test", &pb.ClusterSpec{ClusterId: 1, Application: statemachine.RegularName, Size: 3}))
		require.NoError(t, c.Launch(ctx, "a test"))
		require.Eventually(t, func() bool { return put(ctx, c, "k", "first") == nil }, time.Minute, time.Second)
		f(t, w, c)
	})
}

func put(ctx context.Context, c *client.Client, key, value string) error {
	_, err := c.Propose(ctx, 1, kv.Command{Op: kv.Put, Key: key, Value: kv.Some(value), Writer: value}.Encode())
	return err
}

func get(ctx context.Context, c *client.Client, key string) (string, error) {
	b, err := c.Read(ctx, 1, kv.GetQuery(key))
	if err != nil {
		return "", err
	}
	a, err := kv.DecodeAnswer(b)
	return a.Observed.Value.Text, err
}

func TestWhatWasAcknowledgedSurvivesPowerLossOfEveryHostAtOnce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *World, c *client.Client) {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		require.NoError(t, put(ctx, c, "k", "second"))
		var all []string
		for _, h := range w.Hosts() {
			all = append(all, h.Name)
		}
		seen := watchRunning(ctx, w)
		began := time.Now()
		effects, err := w.PowerLoss(all...)
		require.NoError(t, err)
		require.LessOrEqual(t, time.Since(began), powerLossLimit)
		time.Sleep(10 * time.Millisecond)
		require.Equal(t, []int{len(all), 0}, seen(), "at no time did only some of them run")
		for i, name := range all {
			require.EqualValues(t, 1, effects[i].ProcessesEnded, name)
			require.False(t, w.Running(name), name)
		}
		for _, name := range all {
			require.NoError(t, w.Boot(name))
		}
		require.Eventually(t, func() bool {
			v, err := get(ctx, c, "k")
			return err == nil && v == "second"
		}, time.Minute, time.Second)
	})
}

// watchRunning looks every millisecond at how many hosts run, until the returned
// function is called for the different numbers in their order.
func watchRunning(ctx context.Context, w *World) func() []int {
	ctx, stop := context.WithCancel(ctx)
	numbers := make(chan []int)
	go func() {
		var seen []int
		for ; ctx.Err() == nil; time.Sleep(time.Millisecond) {
			running := 0
			for _, h := range w.Hosts() {
				if w.Running(h.Name) {
					running++
				}
			}
			if len(seen) == 0 || seen[len(seen)-1] != running {
				seen = append(seen, running)
			}
		}
		numbers <- seen
	}()
	return func() []int {
		stop()
		return <-numbers
	}
}

func TestPowerLossOfHostsThatAreDownOrUnknown(t *testing.T) {
	inWorld(t, func(t *testing.T, w *World, _ *client.Client) {
		for _, bad := range []string{"nodehost-9", "nodehost-1"} {
			_, err := w.PowerLoss("nodehost-1", bad)
			require.ErrorContains(t, err, bad)
			require.True(t, w.Running("nodehost-1"), "nothing happened")
		}
		_, err := w.Kill("nodehost-1")
		require.NoError(t, err)
		began := time.Now()
		effects, err := w.PowerLoss("nodehost-1")
		require.NoError(t, err)
		require.Zero(t, effects[0].ProcessesEnded)
		require.Zero(t, time.Since(began), "there is no Sync to wait for")
		require.NoError(t, w.Boot("nodehost-1"))
	})
}

func TestAWipedHostComesBackAsAnotherNodeHost(t *testing.T) {
	inWorld(t, func(t *testing.T, w *World, c *client.Client) {
		before, err := w.Inspect(t.Context(), "nodehost-1")
		require.NoError(t, err)
		_, err = w.Wipe("nodehost-1")
		require.NoError(t, err)
		require.NoError(t, w.Boot("nodehost-1"))
		after, err := w.Inspect(t.Context(), "nodehost-1")
		require.NoError(t, err)
		require.NotEqual(t, before.NodeHostID, after.NodeHostID)
		require.Empty(t, after.Nodes)
	})
}

func TestACutOffHostIsNotHeardAndHeals(t *testing.T) {
	inWorld(t, func(t *testing.T, w *World, c *client.Client) {
		leader, ok := w.ClusterLeader(1)
		require.True(t, ok)
		before := w.Traffic(leader)
		for _, h := range append(w.Hosts(), world.Host{Name: world.Clients}) {
			if h.Name != leader {
				require.NoError(t, w.SetLink(leader, h.Name, world.Link{Cut: true}))
				require.NoError(t, w.SetLink(h.Name, leader, world.Link{Cut: true}))
			}
		}
		time.Sleep(10 * time.Second)
		require.Positive(t, w.Traffic(leader).Sub(before).MessagesDropped)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.Eventually(t, func() bool { return put(ctx, c, "k", "without") == nil }, time.Minute, time.Second)
	})
}

func TestProcessesThatAreNotThere(t *testing.T) {
	inWorld(t, func(t *testing.T, w *World, _ *client.Client) {
		_, err := w.Kill("nodehost-9")
		require.ErrorContains(t, err, "nodehost-9")
		require.ErrorContains(t, w.Boot("nodehost-1"), "its process runs")
		_, err = w.Inspect(t.Context(), "drummer-1")
		require.ErrorContains(t, err, "no NodeHost runs on host drummer-1")
		_, err = w.Kill("nodehost-1")
		require.NoError(t, err)
		e, err := w.Kill("nodehost-1")
		require.NoError(t, err)
		require.False(t, e.Bit(), "a host that is down can't be killed")
	})
}

func TestExamineMissesStepWorkers(t *testing.T) {
	inWorld(t, func(t *testing.T, w *World, _ *client.Client) {
		require.Empty(t, w.Examine())
		// A NodeHost that has stopped behind the world's back has no step
		// workers, as if a panic had ended them.
		p, err := w.nodeHost("nodehost-1")
		require.NoError(t, err)
		p.stop()
		problems := w.Examine()
		require.Len(t, problems, 1)
		require.ErrorContains(t, errors.New(problems[0]), "2 of Dragonboat's 14 step workers")
	})
}

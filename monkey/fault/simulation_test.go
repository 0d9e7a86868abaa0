// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lni/dragonboat/v3/logger"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/drumbeat-raft/drumbeat/drummer/agent"
	"github.com/drumbeat-raft/drumbeat/drummer/client"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/monkey/sim"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

func init() {
	for _, name := range []string{"raft", "rsm", "transport", "grpc", "dragonboat", "logdb", "config", "raftpb"} {
		logger.GetLogger(name).SetLevel(logger.CRITICAL)
	}
}

// injecting carries out a scenario's faults in the background, also where they cost a
// quorum. The channel gets what became of it after everything was healed.
func injecting(t *testing.T, w *sim.World, s *scenarios.Scenario) (*record, <-chan error) {
	r := &record{start: time.Now()}
	in := NewInjector(w, r, func([]string, []string, bool) bool { return true }, testOperator{w})
	done := make(chan error, 1)
	go func() {
		err := in.Run(t.Context(), r.start, s.Duration.D(), Plan(s, w.Hosts(), 1))
		done <- errors.Join(err, in.Heal())
	}()
	return r, done
}

// strikesSimulation carries out one fault, for 20 s, on a simulated deployment of
// three Drummers and three NodeHosts with a Raft cluster on them. It checks that
// the fault took effect, that it takes none any more after its end, and that the
// cluster is well then. It returns the recorded effect.
func strikesSimulation(t *testing.T, fault string) world.Effect {
	t.Helper()
	return strikesSimulationOf(t, 3, fault)
}

// strikesSimulationOf is strikesSimulation with so many NodeHosts.
func strikesSimulationOf(t *testing.T, nodehosts int, fault string) world.Effect {
	t.Helper()
	var effect world.Effect
	synctest.Test(t, func(t *testing.T) {
		s, err := scenarios.Parse("test.yaml", fmt.Appendf(nil, "name: test\nduration: 40s\ndeployment: {drummers: 3, nodehosts: %d}\nfaults: [{%s, at: [1s]%s}]\n", nodehosts, fault, lasting(fault)))
		require.NoError(t, err)
		w := simulation(s)
		require.NoError(t, s.CheckCapabilities("sim", w.Capabilities()))
		defer w.Stop()
		require.NoError(t, w.Start(t.Context()))
		write, closeClient := launchOne(t, w)
		defer closeClient()

		r, done := injecting(t, w, s)
		for range 20 { // something for the fault to act on
			_ = write()
			time.Sleep(time.Second)
		}
		require.NoError(t, <-done)

		struck := r.began(t, 1)
		effect = *facts[timeline.InjectionEnded](r)[0].Effect
		require.True(t, effect.Bit(), "%s took no effect", fault)
		requireOwnEffect(t, struck.Fault, effect)
		for _, h := range w.Hosts() {
			require.True(t, w.Running(h.Name), "%s runs", h.Name)
		}
		require.Eventually(t, func() bool { return write() == nil }, time.Minute, time.Second)
		if counts := behaviours[struck.Fault].counts; counts != nil {
			healed := w.Traffic(struck.Hosts...)
			time.Sleep(10 * time.Second)
			require.Zero(t, counts(w.Traffic(struck.Hosts...).Sub(healed)), "it goes on after its end")
		}
	})
	return effect
}

// simulation makes the simulated world of a scenario.
func simulation(s *scenarios.Scenario, change ...func(*sim.Config)) *sim.World {
	c := sim.Config{
		Deployment: s.Deployment, Drummer: s.Drummer, RTT: s.Deployment.RTT.D(), Seed: 7,
		Applications: func(e sim.Environment) map[string]agent.Application {
			return statemachine.Registry(e.FS, e.Dir, statemachine.CorrectOf(kv.Version(e.Version)))
		},
		Logger: func(string) *slog.Logger { return slog.New(slog.DiscardHandler) },
	}
	for _, f := range change {
		f(&c)
	}
	return sim.New(c)
}

// lasting says how long a fault lasts; one that is asked for lasts no time.
func lasting(fault string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(fault, "kind: "), ",")
	if behaviours[name].Instant {
		return ""
	}
	return ", for: 20s"
}

// launchOne launches a Raft cluster of three and returns how to write to it.
func launchOne(t *testing.T, w *sim.World) (write func() error, closeClient func()) {
	t.Helper()
	var drummers []string
	for _, h := range w.Hosts() {
		if h.Role == world.Drummer {
			drummers = append(drummers, h.APIAddress)
		}
	}
	c, err := client.New(client.Config{Drummers: drummers, Dial: w.DialContext})
	require.NoError(t, err)
	limited, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, c.Define(limited, "a test", &pb.ClusterSpec{ClusterId: 1, Application: statemachine.RegularName, Size: 3,
		Raft: &pb.RaftConfig{SnapshotEntries: proto.Uint64(10), CompactionOverhead: proto.Uint64(2)}}))
	require.NoError(t, c.Launch(limited, "a test"))
	write = func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err := c.Propose(ctx, 1, kv.Command{Op: kv.Put, Key: "k", Value: kv.Some("v"), Writer: "w"}.Encode())
		return err
	}
	require.Eventually(t, func() bool { return write() == nil }, time.Minute, time.Second)
	return write, func() { c.Close() }
}

// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/drumbeat-raft/drumbeat/monkey/application"
	"github.com/drumbeat-raft/drumbeat/monkey/exact"
	_ "github.com/drumbeat-raft/drumbeat/monkey/judge" // registers the checks that scenarios speak of
	"github.com/drumbeat-raft/drumbeat/monkey/rundir"
	"github.com/drumbeat-raft/drumbeat/monkey/sim"
	"github.com/drumbeat-raft/drumbeat/monkey/sim/bubble"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// Request is what the parent asks its child to do.
type Request struct {
	Dir  string `json:"dir"` // of the run; the scenario is in it
	Seed uint64 `json:"seed"`
	Look Look   `json:"look"`
}

// MainIfChild does nothing in an ordinary process. In a child process that was
// started to hold a world it carries the run out and does not return.
func MainIfChild() {
	bubble.Main(func(ctx context.Context, job bubble.Job) error { return work(ctx, job, nil) })
}

// InTest does the same in a test, for a child that was started to hold a world in
// which an application runs that the test brings along.
// place is where in the test that is.
func InTest(t *testing.T, place string, a *application.Application) {
	bubble.InTest(t, place, func(ctx context.Context, job bubble.Job) error { return work(ctx, job, a) })
}

// InChild reports whether this process was started to hold a world, by another
// call of InTest.
func InChild() bool { return bubble.OfTest() != "" }

// init goes back to where the test's own files are: Dragonboat has read its settings
// in the run's directory.
func init() { bubble.GoBack() }

// work is the life of the child, inside the bubble if the clock is virtual. a is
// the application that somebody brought along; nil: the bundled one.
func work(ctx context.Context, job bubble.Job, a *application.Application) error {
	var req Request
	if err := json.Unmarshal(job.Request, &req); err != nil {
		return fmt.Errorf("the child process was sent no request: %w", err)
	}
	s, err := readScenario(req.Dir)
	if err != nil {
		return err
	}
	level, err := req.Look.level()
	if err != nil {
		return err
	}
	prime()
	logDragonboat(level)
	logs := hostLogs{dir: req.Dir, level: level}
	defer logs.close()
	machines, err := newMachines(a, s, req.Seed)
	if err != nil {
		return err
	}
	var static []sim.StaticCluster
	if s.Deployment.Drummers == 0 {
		static = staticClusters(s, machines.applicationOf)
	}
	var program sim.Program
	if a != nil {
		program = a.Program
	}
	election, heartbeat := s.Clusters.ElectionRTT, s.Clusters.HeartbeatRTT
	if !s.Clusters.CheckQuorum {
		election, heartbeat = 0, 0
	}
	w := sim.New(sim.Config{
		Program:    program,
		Static:     static,
		Later:      s.JoinLater(),
		Deployment: s.Deployment, Drummer: s.Drummer, RTT: s.Deployment.RTT.D(), Seed: req.Seed,
		ElectionRTT:  election,
		HeartbeatRTT: heartbeat,
		Applications: machines.registry,
		Logger:       logs.logger,
		Replicas:     s.Clusters.Count * s.Clusters.Size,
	})
	look := func(flush func()) error { return req.Look.begin(req.Dir, w, flush) }
	return execute(ctx, req.Dir, s, req.Seed, w, machines, look, func(p Progress) { _ = job.Progress(p) })
}

func newMachines(a *application.Application, s *scenarios.Scenario, seed uint64) (machines, error) {
	if a != nil {
		return newBrought(a, s), nil
	}
	return newBundled(s, seed)
}

// readScenario reads a run's scenario. What it says of later must not change what
// is drawn before: runs whose scenarios differ in a fault are the same up to that
// fault.
func readScenario(dir string) (*scenarios.Scenario, error) {
	exact.Apart(true)
	defer exact.Apart(false)
	return scenarios.ParseFile(filepath.Join(dir, rundir.ScenarioFile))
}

// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"

	"github.com/drumbeat-raft/drumbeat/drummer/agent"
	"github.com/drumbeat-raft/drumbeat/monkey/exact"
	_ "github.com/drumbeat-raft/drumbeat/monkey/judge" // registers the checks that scenarios speak of
	"github.com/drumbeat-raft/drumbeat/monkey/latency"
	"github.com/drumbeat-raft/drumbeat/monkey/rundir"
	"github.com/drumbeat-raft/drumbeat/monkey/sim"
	"github.com/drumbeat-raft/drumbeat/monkey/sim/bubble"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine"
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
func MainIfChild() { bubble.Main(work) }

// work is the life of the child, inside the bubble if the clock is virtual.
func work(ctx context.Context, job bubble.Job) error {
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
	machines, err := newMachines(s, req.Seed)
	if err != nil {
		return err
	}
	w := sim.New(sim.Config{
		Deployment: s.Deployment, Drummer: s.Drummer, RTT: s.Deployment.RTT.D(), Seed: req.Seed,
		Applications: func(e sim.Environment) map[string]agent.Application {
			times := statemachine.Times{Apply: latency.Of(s.Clusters.Apply), Snapshot: latency.Of(s.Clusters.Snapshot), Rand: e.Rand, Pass: e.Busy}
			return statemachine.Registry(e.FS, e.Dir, statemachine.Timed(machines.newCore, times))
		},
		Logger: logs.logger,
	})
	look := func(flush func()) error { return req.Look.begin(req.Dir, w, flush) }
	return execute(ctx, req.Dir, s, req.Seed, w, machines, look, func(p Progress) { _ = job.Progress(p) })
}

// readScenario reads a run's scenario. What it says of later must not change what
// is drawn before: runs whose scenarios differ in a fault are the same up to that
// fault.
func readScenario(dir string) (*scenarios.Scenario, error) {
	exact.Apart(true)
	defer exact.Apart(false)
	return scenarios.ParseFile(filepath.Join(dir, rundir.ScenarioFile))
}

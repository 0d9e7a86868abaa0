// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/invariant"
	"github.com/drumbeat-raft/drumbeat/monkey/rundir"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// evidence is all that a run left on disk.
type evidence struct {
	run      rundir.Run
	scenario *scenarios.Scenario
	history  *history.Run
	events   []rundir.Event
	outcome  *rundir.Outcome // nil: the run was killed, or crashed
	end      *rundir.End     // nil: its parent was killed
}

// Judge reads the directory of a run and judges it. It also returns the
// history and the events, for reports. The error says that the directory is
// not one of a run, or was damaged.
func Judge(ctx context.Context, dir string) (*Result, []history.Op, []rundir.Event, error) {
	e, err := read(dir)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("%s can't be judged: %w", dir, err)
	}
	facts := e.facts()
	r := e.summary(dir, facts.Stalls)
	r.Checks = append(r.Checks, e.process(), e.launch())
	linear, checked := e.linearizability(ctx)
	r.Ops.Checked = checked
	r.Checks = append(r.Checks, linear...)
	r.Checks = append(r.Checks, e.invariants(facts)...)
	r.Checks = append(r.Checks, e.asked()...)
	r.Checks = append(r.Checks, e.bite(r.Faults)...)
	r.Verdict = Pass
	for _, c := range r.Checks {
		r.Verdict = Worse(r.Verdict, c.Verdict)
	}
	return r, e.history.Ops, e.events, nil
}

// read reads what is there. Facts and the end are missing where the run was
// killed; the rest must be there.
func read(dir string) (*evidence, error) {
	e := &evidence{}
	if err := rundir.ReadJSON(dir, rundir.RunFile, &e.run); err != nil {
		return nil, err
	}
	var err error
	if e.scenario, err = scenarios.ParseFile(filepath.Join(dir, rundir.ScenarioFile)); err != nil {
		return nil, err
	}
	if e.history, err = readHistory(dir); err != nil {
		return nil, err
	}
	if e.events, err = rundir.ReadEvents(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var outcome rundir.Outcome
	if err := rundir.ReadJSON(dir, rundir.FactsFile, &outcome); err == nil {
		e.outcome = &outcome
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var end rundir.End
	if err := rundir.ReadJSON(dir, rundir.EndFile, &end); err == nil {
		e.end = &end
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return e, nil
}

// readHistory reads a run's history; a run that died before its first
// operation has none.
func readHistory(dir string) (*history.Run, error) {
	if _, err := os.Stat(filepath.Join(dir, history.FileName)); errors.Is(err, fs.ErrNotExist) {
		return &history.Run{Truncated: true}, nil
	}
	return history.ReadRun(dir)
}

// summary makes the part of a result that only counts.
func (e *evidence) summary(dir string, stalls []invariant.Stall) *Result {
	s := e.scenario
	r := &Result{
		Scenario: e.run.Scenario, Seed: e.run.Seed, World: e.run.World, Clock: e.run.Clock,
		VirtualSeconds: e.elapsed().Seconds(),
		Clusters:       s.Clusters.Count, NodeHosts: s.Deployment.NodeHosts, Drummers: s.Deployment.Drummers,
		Reproduce: e.run.Reproduce, Dir: dir,
		Faults: e.faults(), Repair: e.repair(stalls), Drummer: e.activity(),
	}
	for i := range e.history.Ops {
		switch e.history.Ops[i].Outcome {
		case history.OK:
			r.Ops.OK++
		case history.Fail:
			r.Ops.Fail++
		default:
			r.Ops.Unknown++
		}
	}
	return r
}

// elapsed is the length of the run on its own clock, as far as is known.
func (e *evidence) elapsed() time.Duration {
	if e.outcome != nil {
		return e.outcome.Elapsed
	}
	if n := len(e.events); n > 0 {
		return e.events[n-1].At
	}
	return 0
}

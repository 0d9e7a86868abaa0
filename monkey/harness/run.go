// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"time"

	"github.com/drumbeat-raft/drumbeat/monkey/engine"
	"github.com/drumbeat-raft/drumbeat/monkey/exact"
	"github.com/drumbeat-raft/drumbeat/monkey/judge"
	"github.com/drumbeat-raft/drumbeat/monkey/report"
	"github.com/drumbeat-raft/drumbeat/monkey/rundir"
	"github.com/drumbeat-raft/drumbeat/monkey/sim/bubble"
	"github.com/drumbeat-raft/drumbeat/monkey/sim/simnet"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// Progress is how far a run is.
type Progress = engine.Progress

// MainIfChild does nothing in an ordinary process. In the child that Run
// starts to hold the world it carries the run out and does not return. Every
// program that calls Run calls it first thing in main, or in TestMain.
func MainIfChild() { engine.MainIfChild() }

// Run carries out one scenario in a child process and judges what it left.
// When ctx ends, the run ends in good order and is judged as far as it came.
// An error is of whoever asked (UsageError) or of the harness; what the system
// under test did wrong is in the result. The program must call MainIfChild.
func Run(ctx context.Context, o Options) (*judge.Result, error) {
	began := time.Now()
	s, err := o.Load()
	if err != nil {
		return nil, err
	}
	if err := s.CheckExact(o.Exact); err != nil {
		return nil, UsageError{err}
	}
	text, err := s.Marshal()
	if err != nil {
		return nil, err
	}
	out, err := filepath.Abs(o.Out)
	if err != nil {
		return nil, UsageError{fmt.Errorf("--out %s: %w", o.Out, err)}
	}
	dir, err := rundir.Create(out, o.describe(s, began))
	if err != nil {
		return nil, UsageError{fmt.Errorf("--out %s: %w", o.Out, err)}
	}
	if err := rundir.WriteFile(dir, rundir.ScenarioFile, text); err != nil {
		return nil, err
	}
	if err := o.hold(ctx, dir, s); err != nil {
		return nil, err
	}
	return o.finish(context.WithoutCancel(ctx), dir, began)
}

// hold runs the child that holds the world, and writes down how it ended if it
// did not end well.
func (o *Options) hold(ctx context.Context, dir string, s *scenarios.Scenario) error {
	if err := writeSoftSettings(dir, s); err != nil {
		return err
	}
	var ex *bubble.Exact
	if o.Exact {
		ex = &bubble.Exact{Seed: o.Seed, Explore: exploration(s.Explore), Hold: s.Pauses(), Trace: filepath.Join(dir, rundir.TraceFile)}
	}
	profile := ""
	if o.Profile {
		profile = filepath.Join(dir, rundir.ProfileFile)
	}
	guest := cmp.Or(o.Guest, &Guest{})
	exit, err := bubble.Command{
		Place:       guest.Place,
		Args:        guest.Args,
		Exact:       ex,
		Request:     engine.Request{Dir: dir, Seed: o.Seed, Look: o.Look},
		Dir:         dir,
		Realtime:    o.Clock == ClockReal,
		Log:         filepath.Join(dir, rundir.OutputLog),
		Profile:     profile,
		MemoryLimit: memoryLimit(s),
		OnProgress: func(b json.RawMessage) {
			var p Progress
			if o.Progress != nil && json.Unmarshal(b, &p) == nil {
				o.Progress(p)
			}
		},
	}.Run(ctx)
	if err != nil {
		return fmt.Errorf("the process that holds the world: %w", err)
	}
	if o.Exact {
		if err := rundir.WriteJSON(dir, rundir.ExactFile, exit.Exact); err != nil {
			return err
		}
	}
	end := rundir.End{Error: exit.Err, Signal: exit.Signal, Killed: exit.Killed, Stopped: exit.Stopped, Code: exit.Code,
		CPU: exit.Cost.CPU, System: exit.Cost.System, PeakMemory: exit.Cost.PeakMemory, PageFaults: exit.Cost.PageFaults}
	if exit.CutShort {
		end.Until = o.Look.Until
	}
	if exit.Crash != nil {
		end.Panic, end.Stack = exit.Crash.Message, exit.Crash.Stack
		end.Host, end.PanicAt = exit.Crash.Labels[simnet.HostLabel], exit.Exact.Now
	}
	return rundir.WriteJSON(dir, rundir.EndFile, end)
}

// exploration is what a scenario says of it in the terms of an exact run.
func exploration(e *scenarios.Explore) exact.Explore {
	if e == nil {
		return exact.Explore{}
	}
	order := map[scenarios.Order]exact.Order{scenarios.FIFO: exact.FIFO, scenarios.Shuffle: exact.Shuffle, scenarios.Priorities: exact.Priorities}
	return exact.Explore{Order: order[e.Order], Preemptions: e.Preemptions, Pause: e.Pause.D(), Horizon: e.Horizon}
}

// The memory at which a simulation collects garbage whatever it kept last time: a
// fixed part, and one for each replica. When a host comes back, each of its nodes
// holds blocks of some megabytes for an instant, and a collection that counts
// those as kept would have the heap grow to five times as much.
const (
	memoryBase      = 640 << 20
	memoryOfReplica = 512 << 10 // it keeps about 350 KB
)

func memoryLimit(s *scenarios.Scenario) int64 {
	return memoryBase + memoryOfReplica*int64(s.Clusters.Count*s.Clusters.Size)
}

// finish judges a run and writes its result and reports. began is when it
// started on the wall clock; judging counts.
func (o *Options) finish(ctx context.Context, dir string, began time.Time) (*judge.Result, error) {
	left, err := o.Guest.read(dir)
	if err != nil {
		return nil, err
	}
	r := judge.Judge(ctx, dir, left)
	r.SetWall(time.Since(began))
	return r, write(dir, r, left)
}

// read reads what a run left, to be judged by the guest's model, if there is one.
func (g *Guest) read(dir string) (*judge.Recording, error) {
	left, err := judge.Read(dir)
	if err == nil && g != nil && g.Model != nil {
		left.Model = g.Model()
	}
	return left, err
}

// Check judges a run's directory again, as it is: also one that was killed.
// It rewrites the result and the reports in it.
func Check(ctx context.Context, dir string) (*judge.Result, error) {
	return (*Guest)(nil).check(ctx, dir)
}

func (g *Guest) check(ctx context.Context, dir string) (*judge.Result, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, UsageError{err}
	}
	var was judge.Result
	_ = rundir.ReadJSON(dir, rundir.ResultFile, &was) // a killed run has none
	left, err := g.read(dir)
	if err != nil {
		return nil, UsageError{err}
	}
	r := judge.Judge(ctx, dir, left)
	r.WallSeconds, r.Compression = was.WallSeconds, was.Compression
	return r, write(dir, r, left)
}

func write(dir string, r *judge.Result, left *judge.Recording) error {
	if err := rundir.WriteJSON(dir, rundir.ResultFile, r); err != nil {
		return err
	}
	junit, err := report.JUnit(r)
	if err != nil {
		return err
	}
	if err := rundir.WriteFile(dir, rundir.JUnitFile, junit); err != nil {
		return err
	}
	page, err := report.HTML(r, left.Timeline, left.History.Ops)
	if err != nil {
		return err
	}
	return rundir.WriteFile(dir, rundir.ReportFile, page)
}

// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/model"
	"github.com/drumbeat-raft/drumbeat/monkey/exact"
	"github.com/drumbeat-raft/drumbeat/monkey/rundir"
	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
	"github.com/drumbeat-raft/drumbeat/monkey/workload"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// Recording is all that a run left on disk.
type Recording struct {
	Run      rundir.Run
	Scenario *scenarios.Scenario
	History  *history.Run
	Timeline *timeline.Timeline
	Outcome  *rundir.Outcome // nil: the run was killed, or crashed
	End      *rundir.End     // nil: its parent was killed
	Exact    *exact.State    // nil: it was no exact run, or its parent was killed
	// Model is the specification that the history is judged by; nil: the key-value
	// store. Read can't know that of a test's own operations.
	Model model.Model
}

// Read reads what is there. Facts and the end are missing where the run was
// killed; the rest must be there. The error says that the directory is not one
// of a run, or was damaged.
func Read(dir string) (*Recording, error) {
	r, err := read(dir)
	if err != nil {
		return nil, fmt.Errorf("%s can't be judged: %w", dir, err)
	}
	return r, nil
}

func read(dir string) (*Recording, error) {
	r := &Recording{}
	if err := rundir.ReadJSON(dir, rundir.RunFile, &r.Run); err != nil {
		return nil, err
	}
	var err error
	if r.Scenario, err = scenarios.ParseFile(filepath.Join(dir, rundir.ScenarioFile)); err != nil {
		return nil, err
	}
	r.Model = workload.ModelOf(r.Scenario.Workload.Kind)
	if r.History, err = readHistory(dir); err != nil {
		return nil, err
	}
	if r.Timeline, err = timeline.Read(dir); err != nil {
		return nil, err
	}
	r.nameReplicas()
	if r.Outcome, err = readIfThere[rundir.Outcome](dir, rundir.FactsFile); err != nil {
		return nil, err
	}
	if r.End, err = readIfThere[rundir.End](dir, rundir.EndFile); err != nil {
		return nil, err
	}
	r.Exact, err = readIfThere[exact.State](dir, rundir.ExactFile)
	return r, err
}

// readIfThere reads a file that a run may lack: nil then.
func readIfThere[T any](dir, name string) (*T, error) {
	v := new(T)
	err := rundir.ReadJSON(dir, name, v)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return v, err
}

// readHistory reads a run's history; a run that died before its first
// operation has none.
func readHistory(dir string) (*history.Run, error) {
	if _, err := os.Stat(filepath.Join(dir, history.FileName)); errors.Is(err, fs.ErrNotExist) {
		return &history.Run{Truncated: true}, nil
	}
	return history.ReadRun(dir)
}

// elapsed is the length of the run on its own clock, as far as is known.
func (r *Recording) elapsed() time.Duration {
	if r.Outcome != nil {
		return r.Outcome.Elapsed
	}
	return r.Timeline.End
}

// outcome is what the world's process left; nothing where it was killed.
func (r *Recording) outcome() rundir.Outcome {
	if r.Outcome == nil {
		return rundir.Outcome{}
	}
	return *r.Outcome
}

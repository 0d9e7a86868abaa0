// SPDX-License-Identifier: Apache-2.0

package rundir

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// The names of the files in a run's directory. history.jsonl.zst is written
// by checker/history, events.jsonl by monkey/timeline.
const (
	ScenarioFile = "scenario.yaml"
	RunFile      = "run.json"
	FactsFile    = "facts.json"
	EndFile      = "end.json"
	ResultFile   = "result.json"
	JUnitFile    = "junit.xml"
	ReportFile   = "report.html"
	// ExplanationFile is that of a run that was kept by a search for a smaller
	// scenario.
	ExplanationFile = "explanation.html"
	// ExactFile and TraceFile are those of an exact run: the state of the
	// execution at its end, and all decisions of the scheduler.
	ExactFile = "exact.json"
	TraceFile = "decisions.trace"
	// ProfileFile is the CPU profile of the process that ran the simulation, where
	// one was asked for.
	ProfileFile = "cpu.pprof"
	// LooksFile holds what was seen when an exact run was looked into.
	LooksFile = "looks.txt"
	LogsDir   = "logs"
	// OutputLog holds standard output and error of the process that ran the
	// simulation: Dragonboat's log, and the stack of a panic.
	OutputLog = LogsDir + "/process.log"
	latest    = "latest"
)

// Run is what is known of a run before it starts. It is written first, so
// that any run can be repeated from its directory alone.
type Run struct {
	Scenario  string        `json:"scenario"` // name
	File      string        `json:"file"`     // as given on the command line
	Seed      uint64        `json:"seed"`
	World     string        `json:"world"`
	Clock     string        `json:"clock"`
	Sets      []string      `json:"sets,omitempty"` // --set path=value, in order
	Duration  time.Duration `json:"duration_ns,omitempty"`
	Exact     bool          `json:"exact,omitempty"` // repeatable to the last decision of the scheduler
	StartedAt time.Time     `json:"started_at"`
	Reproduce string        `json:"reproduce"` // one shell line
}

// Create makes a new directory for a run below out, named after its start,
// scenario and seed, and points out/latest at it.
func Create(out string, r Run) (string, error) {
	base := fmt.Sprintf("%s-%s-%d", r.StartedAt.UTC().Format("20060102T150405"), r.Scenario, r.Seed)
	dir, err := createUnique(out, base)
	if err != nil {
		return "", err
	}
	if err := os.Mkdir(filepath.Join(dir, LogsDir), 0o755); err != nil {
		return "", fmt.Errorf("make the log directory of the run: %w", err)
	}
	if err := WriteJSON(dir, RunFile, r); err != nil {
		return "", err
	}
	return dir, PointLatest(out, filepath.Base(dir))
}

// createUnique makes out/base, or out/base-2 … when runs start together.
func createUnique(out, base string) (string, error) {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return "", fmt.Errorf("make the directory for runs: %w", err)
	}
	for i := 1; i < 1000; i++ {
		dir := filepath.Join(out, base)
		if i > 1 {
			dir = fmt.Sprintf("%s-%d", dir, i)
		}
		err := os.Mkdir(dir, 0o755)
		if err == nil {
			return dir, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return "", fmt.Errorf("make the run's directory: %w", err)
		}
	}
	return "", fmt.Errorf("make the run's directory: %s and 998 more exist already in %s", base, out)
}

// PointLatest points out/latest at a run's directory, given by its name in out. It
// replaces the link in one step, so that two runs which start
// together both leave a valid one.
func PointLatest(out, name string) error {
	tmp := filepath.Join(out, fmt.Sprintf(".%s-%s-%d", latest, name, os.Getpid()))
	if err := os.Symlink(name, tmp); err != nil {
		return fmt.Errorf("link %s to the newest run: %w", latest, err)
	}
	if err := os.Rename(tmp, filepath.Join(out, latest)); err != nil {
		os.Remove(tmp)
		return fmt.Errorf("link %s to the newest run: %w", latest, err)
	}
	return nil
}

// WriteJSON writes v, indented, so that a reader never sees half a file.
func WriteJSON(dir, name string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", name, err)
	}
	return WriteFile(dir, name, append(b, '\n'))
}

// WriteFile writes a whole file, so that a reader never sees half of it.
func WriteFile(dir, name string, b []byte) error {
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path+".tmp", b, 0o644); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// ReadJSON reads what WriteJSON wrote. A missing file is fs.ErrNotExist.
func ReadJSON(dir, name string, v any) error {
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%s is not what a run writes: %w", filepath.Join(dir, name), err)
	}
	return nil
}

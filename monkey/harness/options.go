// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/linear/model"
	"github.com/drumbeat-raft/drumbeat/monkey/engine"
	"github.com/drumbeat-raft/drumbeat/monkey/rundir"
	"github.com/drumbeat-raft/drumbeat/monkey/sim"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// The worlds and clocks that a run can ask for.
const (
	WorldSim     = "sim"
	ClockVirtual = "virtual"
	ClockReal    = "real"
)

// Options is what one run is made from.
type Options struct {
	// File is a scenario file, or the name of a scenario that comes with
	// Drumbeat.
	File string
	// Seed fixes the schedule of faults and operations.
	Seed  uint64
	World string
	Clock string
	// Sets are the --set arguments, path=value.
	Sets []string
	// Duration overrides the scenario's; 0: it does not.
	Duration time.Duration
	// Out is the directory that gets the run's directory.
	Out string
	// Exact makes the run repeatable to the last decision of the scheduler. The
	// program has to be built with the overlay of package monkey/exact/overlay.
	Exact bool
	// Profile writes a CPU profile of the process that holds the world into the
	// run's directory.
	Profile bool
	// Look is how an exact run is looked into.
	Look engine.Look
	// Text is the scenario itself; empty: it is in File.
	Text string
	// Change, unless nil, changes the scenario once it is loaded.
	Change func(*scenarios.Scenario) error
	// Guest is what the run is about if it is not the bundled state machines.
	Guest *Guest
	// Progress hears how the run goes, from one goroutine at a time. May be nil.
	Progress func(Progress)
	// Warnings gets what people should know and no verdict says. May be nil.
	Warnings io.Writer
}

// Guest is an application that a test brings along. The child that holds the world
// is the test binary, started once more.
type Guest struct {
	// Place is where in the test the child calls engine.InTest, and Args have the
	// binary run that test.
	Place string
	Args  []string
	// Versions says that it has another version, to which hosts can be upgraded.
	Versions bool
	// Model makes what the history of a run is judged by, a new one for each; nil: the
	// key-value store.
	Model func() model.Model
	// Reproduce is the shell line that repeats a run of a scenario's file.
	Reproduce func(file string, seed uint64) string
}

// checkUpgrades refuses upgrades to a version that there is not: they would be
// nothing but restarts.
func (g *Guest) checkUpgrades(s *scenarios.Scenario) error {
	if g == nil || g.Versions {
		return nil
	}
	for _, l := range s.Leaves() {
		if kind, _ := scenarios.FaultKindOf(l.Fault.Kind); kind.Needs == scenarios.CanUpgrade {
			return fmt.Errorf("%s: %s upgrades hosts, and Config.StateMachine has one version only: give it another one with Upgraded", s.Name, l.Path)
		}
	}
	return nil
}

// UsageError is an error of whoever asked: exit code 64.
type UsageError struct{ Err error }

func (e UsageError) Error() string { return e.Err.Error() }
func (e UsageError) Unwrap() error { return e.Err }

// Load reads and validates the options' scenario with all settings applied.
func (o *Options) Load() (*scenarios.Scenario, error) {
	if o.World != WorldSim {
		return nil, UsageError{fmt.Errorf("--world %s: expected %s, the only world there is so far; real processes (proc) can't be broken yet", o.World, WorldSim)}
	}
	if o.Clock != ClockVirtual && o.Clock != ClockReal {
		return nil, UsageError{fmt.Errorf("--clock %s: expected %s or %s", o.Clock, ClockVirtual, ClockReal)}
	}
	if o.Exact && o.Clock != ClockVirtual {
		return nil, UsageError{fmt.Errorf("--exact with --clock %s: only virtual time can be repeated", o.Clock)}
	}
	if err := o.Look.Check(); err != nil {
		return nil, UsageError{err}
	}
	var settings []scenarios.Setting
	for _, text := range o.Sets {
		s, err := scenarios.ParseSetting(text)
		if err != nil {
			return nil, UsageError{err}
		}
		settings = append(settings, s)
	}
	s, err := o.loadWithDuration(settings)
	if err == nil && !s.Swarm { // what is drawn may be of no use
		err = o.Guest.checkUpgrades(s)
	}
	if err == nil {
		s, err = s.Drawn(o.Seed)
	}
	if err != nil {
		return nil, UsageError{err}
	}
	if o.Guest != nil {
		s.Workload.Kind = scenarios.Keys // its operations are its own
	}
	if o.Change != nil {
		if err := o.Change(s); err != nil {
			return nil, UsageError{err}
		}
	}
	if err := s.CheckCapabilities(o.World, sim.Capabilities()); err != nil {
		return nil, UsageError{err}
	}
	return s, nil
}

// loadWithDuration loads the scenario with its duration overridden, if the
// options do. If it is valid but for that, the error says so.
func (o *Options) loadWithDuration(settings []scenarios.Setting) (*scenarios.Scenario, error) {
	if o.Duration == 0 {
		return o.parse(settings...)
	}
	length := scenarios.Duration(o.Duration)
	s, err := o.parse(append(slices.Clone(settings), scenarios.Setting{Path: "duration", Value: length.String()})...)
	if err == nil {
		return s, nil
	}
	if s, without := o.parse(settings...); without == nil {
		return nil, fmt.Errorf("--duration %s does not fit this scenario, whose own is %s. Give another one, or override with --set what is named here:\n%w",
			length, s.Duration, err)
	}
	return nil, err
}

// parse reads the scenario, wherever it is.
func (o *Options) parse(settings ...scenarios.Setting) (*scenarios.Scenario, error) {
	if o.Text != "" {
		return scenarios.Parse(o.File, []byte(o.Text), settings...)
	}
	return LoadScenario(o.File, settings...)
}

// LoadScenario reads a file, or a scenario that comes with Drumbeat when the
// argument is a bare name.
func LoadScenario(file string, settings ...scenarios.Setting) (*scenarios.Scenario, error) {
	if !strings.ContainsAny(file, "./\\") {
		return scenarios.Load(file, settings...)
	}
	return scenarios.ParseFile(file, settings...)
}

// reproduce is the shell line that repeats the run.
func (o *Options) reproduce() string {
	if o.Guest != nil {
		return o.Guest.Reproduce(o.File, o.Seed)
	}
	words := []string{program(os.Args[0]), "run", quote(o.File), fmt.Sprintf("--seed %d", o.Seed)}
	if o.Clock != ClockVirtual {
		words = append(words, "--clock "+o.Clock)
	}
	if o.Exact {
		words = append(words, "--exact")
	}
	if o.Duration > 0 {
		words = append(words, "--duration "+scenarios.Duration(o.Duration).String())
	}
	for _, s := range o.Sets {
		words = append(words, "--set "+quote(s))
	}
	return strings.Join(words, " ")
}

// program is how a shell in the present directory starts the monkey again: as
// it was started, or by 'go run' where the program is gone when it ends ('go
// run' itself) or is another one (a test).
func program(arg0 string) string {
	const source = "cmd/monkey"
	switch {
	case !ofGoCommand(arg0) && !strings.HasSuffix(arg0, ".test"):
		return quote(arg0)
	case fileExists(filepath.Join(source, "main.go")):
		return "go run ./" + source
	}
	return "go run github.com/drumbeat-raft/drumbeat/" + source
}

// inCache is where the go command caches a program, wherever GOCACHE is.
var inCache = regexp.MustCompile(`/[0-9a-f]{2}/[0-9a-f]{64}-d/[^/]+$`)

// ofGoCommand reports whether a program lies where the go command keeps those
// that it builds to run them: in a temporary directory go-build…, or, with
// -trimpath, in its cache, which is called go-build by default.
func ofGoCommand(program string) bool {
	path := filepath.ToSlash(program)
	return inCache.MatchString(path) || slices.ContainsFunc(strings.Split(path, "/"), func(element string) bool {
		return strings.HasPrefix(element, "go-build")
	})
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// quote makes a word safe for a POSIX shell.
func quote(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./_-") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// describe is what is written down before the run begins.
func (o *Options) describe(s *scenarios.Scenario, at time.Time) rundir.Run {
	return rundir.Run{
		Scenario: s.Name, File: o.File, Seed: o.Seed, World: o.World, Clock: o.Clock,
		Sets: o.Sets, Duration: o.Duration, Exact: o.Exact, StartedAt: at, Reproduce: o.reproduce(),
	}
}

// SPDX-License-Identifier: Apache-2.0

package monkey

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/drumbeat-raft/drumbeat/monkey/application"
)

// Config says what is tested, and in which deployment. StateMachine and Workload
// are required, or Host in place of StateMachine.
type Config struct {
	// Scenario is the deployment, the load, the faults and the checks: the name of
	// a scenario that comes along (monkey list), a file, or YAML. Default:
	// quickstart. Its statemachine and the keys and mix of its workload are not
	// used. docs/scenarios.md has all fields.
	Scenario string
	// StateMachine is what the scenario's clusters run.
	StateMachine StateMachine
	// Host is the program that the scenario's NodeHosts run, in place of
	// StateMachine: its state machines are its own.
	Host Host
	// Workload is what clients ask for: a Workload[Op, Answer].
	Workload AnyWorkload
	// Model says which answers are right: a Model, KeyValue or Porcupine of the
	// same types. nil: answers are only looked at by Invariants.
	Model AnyModel
	// Invariants must hold besides.
	Invariants []Invariant
	// Digest returns the state of a replica as text, equal for equal states. It gets
	// what the factory returned, while no update goes on. It is called after
	// healing; the results of entries are compared all the time, with it or
	// without. nil: GetHash, if the state machine has it.
	Digest func(machine any) string

	// Seeds is how many seeds are run. Default: 10, with -short 1. The flag
	// -monkey.seeds is used in place of it.
	Seeds int
	// Seed is the first one, and the others follow on. 0: a random one, which is
	// printed. The flag -monkey.seed, which runs one seed only, is used in place
	// of it.
	Seed uint64
	// Parallel is how many are run at once. Default: 2 at most, as there are
	// processors.
	Parallel int
}

const (
	defaultScenario = "quickstart"
	defaultSeeds    = 10
	defaultParallel = 2
)

var (
	seedFlag     = flag.Uint64("monkey.seed", 0, "monkey: run this seed, and no other; 0: as the test says, or random ones")
	seedsFlag    = flag.Int("monkey.seeds", 0, "monkey: run so many seeds; 0: as the test says")
	scenarioFlag = flag.String("monkey.scenario", "", "monkey: run this scenario, a name or a file; empty: as the test says")
	durationFlag = flag.Duration("monkey.duration", 0, "monkey: length of the phase with faults; 0: the scenario's")
	shrinkFlag   = flag.Duration("monkey.shrink", 0, "monkey: when a run finds a violation, look for the smallest scenario that shows it for so long; 0: don't")
	outFlag      = flag.String("monkey.out", "", "monkey: directory for the runs that are kept; empty: a temporary one")
)

// withFlags is the configuration with flags and defaults.
func (c Config) withFlags() Config {
	c.Scenario = cmp.Or(*scenarioFlag, c.Scenario, defaultScenario)
	if c.Seeds = cmp.Or(*seedsFlag, c.Seeds, defaultSeeds); testing.Short() && *seedsFlag == 0 {
		c.Seeds = 1
	}
	if *seedFlag != 0 {
		c.Seed, c.Seeds = *seedFlag, 1
	}
	c.Parallel = cmp.Or(c.Parallel, min(defaultParallel, runtime.GOMAXPROCS(0)))
	return c
}

// application is the configuration in the engine's terms.
func (c Config) application() (*application.Application, error) {
	switch {
	case len(c.StateMachine.machines) == 0 && c.Host == nil:
		return nil, errors.New("Config.StateMachine is missing. Make one with Regular, Concurrent or OnDisk, or give a Host")
	case len(c.StateMachine.machines) > 0 && c.Host != nil:
		return nil, errors.New("Config has a StateMachine and a Host. The state machines of a Host are its own")
	case c.Workload == nil:
		return nil, errors.New("Config.Workload is missing. It is what clients ask the state machine for")
	case c.Seeds < 0 || c.Parallel < 0:
		return nil, fmt.Errorf("found a negative number in Config, expected at least 0: Seeds %d, Parallel %d", c.Seeds, c.Parallel)
	}
	a := &application.Application{Machines: c.StateMachine.machines, Program: c.Host.program(), Digest: c.Digest}
	if err := a.Validate(); err != nil {
		return nil, fmt.Errorf("Config.StateMachine: %w", err)
	}
	return a, c.Workload.join(c, a)
}

// isText reports whether a scenario is given as YAML, not by its name or file.
func isText(scenario string) bool { return strings.ContainsAny(scenario, "\n{") }

// duration is the length of the phase with faults that is asked for; 0: the
// scenario's.
func duration() time.Duration { return *durationFlag }

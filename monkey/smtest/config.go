// SPDX-License-Identifier: Apache-2.0

package smtest

import (
	"cmp"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// Config says what a state machine is tested with. Only Command is required.
type Config struct {
	// Command makes one command for Update. It must depend on r alone, as logs
	// are made again from the same random numbers. Let it draw from few keys,
	// so that commands meet; the lower a number is, the simpler the command
	// that is made of it should be, as shrinking lowers them. For a generator
	// of pgregory.net/rapid use gen.Example(int(r.Uint32())).
	Command func(r *rand.Rand) []byte
	// Query makes one query for Lookup, in the same way. Answers are compared
	// between replicas, by what they contain: only queries whose answer depends
	// on nothing but the state are of use.
	Query func(r *rand.Rand) any
	// Digest returns the state of a replica as text, equal for equal states. It
	// gets what the factory returned. Where it is nil, GetHash is used if the
	// state machine implements Dragonboat's IHash, and otherwise the bytes of a
	// snapshot if they are the same each time that one is saved. Where they
	// aren't, only answers to queries are compared.
	Digest func(machine any) string
	// Describe returns a command as text for messages. nil: quoted bytes.
	Describe func(command []byte) string

	// Runs is how many logs are made, each of which all checks are made with;
	// 0: 100, or 25 of OnDiskDir, and a tenth of them with -short. The flag
	// -smtest.runs is used in place of it.
	Runs int
	// Commands is the length of the longest log; 0: 30.
	Commands int
	// Seed is that of the first log, and the next ones follow on; 0: a random
	// one. The flag -smtest.seed is used in place of it.
	Seed uint64
	// StopWithin is how many bytes SaveSnapshot may write and
	// RecoverFromSnapshot read after their stop channel is closed; 0: 1 MiB.
	StopWithin int
	// Timeout is how long one check of one log may take before a call is taken
	// to hang; 0: 20 s.
	Timeout time.Duration
	// TornFiles lets a power loss keep what was written since the last Sync in
	// some files and drop it in others, for OnDiskDir. Real disks do that, but
	// the kit can't see which files a state machine has synced by itself: set
	// it only where none is synced outside Sync. OnDisk needs no such flag.
	TornFiles bool
	// RealTime leaves out the replica that runs in a testing/synctest bubble,
	// on a clock of its own, for state machines that can't, as they share
	// goroutines or channels with what is outside.
	RealTime bool
}

const (
	defaultRuns       = 100
	shortRunsDivisor  = 10
	defaultCommands   = 30
	defaultStopWithin = 1 << 20
	defaultTimeout    = 20 * time.Second
)

var (
	seedFlag = flag.Uint64("smtest.seed", 0, "smtest: seed of the first log; 0: as the test says, or a random one")
	runsFlag = flag.Int("smtest.runs", 0, "smtest: number of logs; 0: as the test says")
)

// withDefaults is the configuration with what was left out.
func (c Config) withDefaults(m Machine) Config {
	if c.Runs = cmp.Or(*runsFlag, c.Runs); c.Runs == 0 {
		c.Runs = defaultRuns
		if m.slow {
			c.Runs /= slowDivisor
		}
		if testing.Short() {
			c.Runs /= shortRunsDivisor
		}
	}
	c.Commands = cmp.Or(c.Commands, defaultCommands)
	c.StopWithin = cmp.Or(c.StopWithin, defaultStopWithin)
	c.Timeout = cmp.Or(c.Timeout, defaultTimeout)
	if c.Describe == nil {
		c.Describe = func(command []byte) string { return fmt.Sprintf("%q", command) }
	}
	return c
}

// SPDX-License-Identifier: Apache-2.0

// Package testflags declares the flags of the chaos suites, which come after
// -args in
//
//	go test -tags monkey ./... -args -monkey.seed=7
//
// go test hands them to the test binary of every package, and one that does
// not know a flag refuses to run. So each package's tests import this package
// under the build tag monkey; only the suites in monkey/ read the values.
package testflags

import (
	"flag"
	"time"
)

// The values, valid once flags are parsed.
var (
	Seed     = flag.Uint64("monkey.seed", 0, "seed of the chaos suites; 0: a random one, which is printed")
	Scenario = flag.String("monkey.scenario", "", "run this scenario, a file or a name, instead of the suite's own")
	Duration = flag.Duration("monkey.duration", time.Duration(0), "length of the phase with faults; 0: the scenario's")
	Out      = flag.String("monkey.out", "", "directory for the directories of runs; empty: a temporary one")
)

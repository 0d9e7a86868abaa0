// SPDX-License-Identifier: Apache-2.0

package smtest

import (
	"slices"
	"time"
)

const (
	// shrinkFor and shrinkTrials bound how long a failure is shrunk.
	shrinkFor    = 8 * time.Second
	shrinkTrials = 5_000
	// flakyTries is how often a test case is tried that fails only sometimes.
	flakyTries = 10
)

// shrinker makes a failing test case smaller.
type shrinker struct {
	kit   *kit
	check *check
	best  outcome
	tries int // how often a case is tried
	until time.Time
	last  int // number of the last trial
}

// shrink returns the failure of the smallest test case that it finds to fail the
// same check.
func (k *kit) shrink(c *check, o outcome) *failure {
	k.t.Helper()
	if o.failure.hangs {
		return o.failure // what hangs is still there, and each try would take as long
	}
	k.shrinking = true
	s := &shrinker{kit: k, check: c, best: o, tries: 1, until: time.Now().Add(shrinkFor), last: k.trials + shrinkTrials}
	for range 3 {
		if k.try(c, o.testCase).failure == nil {
			s.tries = flakyTries
		}
	}
	for progress := true; progress && !s.isOver(); {
		progress = s.dropCommands()
		progress = s.lowerAll() || progress
	}
	return s.best.failure
}

func (s *shrinker) isOver() bool { return s.kit.trials >= s.last || time.Now().After(s.until) }

// fails tries a test case, and keeps it if it fails.
func (s *shrinker) fails(c testCase) bool {
	for range s.tries {
		if s.isOver() {
			return false
		}
		if o := s.kit.try(s.check, c); o.failure != nil && !o.failure.hangs && !o.testCase.isLargerThan(s.best.testCase) {
			s.best = o
			return true
		}
	}
	return false
}

// dropCommands leaves out commands, in ever smaller groups, the last ones first.
func (s *shrinker) dropCommands() (progress bool) {
	for size := len(s.best.testCase.commands) / 2; size > 0; size /= 2 {
		for from := len(s.best.testCase.commands) - size; from >= 0; from -= size {
			c := s.best.testCase
			if len(c.commands) == size {
				continue
			}
			c.commands = slices.Delete(slices.Clone(c.commands), from, from+size)
			if s.fails(c) || s.failsOtherwise(c) {
				progress = true
			}
			from = min(from, len(s.best.testCase.commands))
		}
	}
	return progress
}

// failsOtherwise tries a test case with other plans: what a plan draws means
// something else in a shorter log.
func (s *shrinker) failsOtherwise(c testCase) bool {
	for range otherPlans {
		c.plan = segment{seed: c.plan.seed + 1}
		if s.fails(c) {
			return true
		}
	}
	return false
}

// otherPlans is how many other plans are tried.
const otherPlans = 8

// lowerAll lowers what was drawn for the commands and the plan.
func (s *shrinker) lowerAll() (progress bool) {
	for i := range s.best.testCase.commands {
		progress = s.lower(func(c *testCase) *segment {
			c.commands = slices.Clone(c.commands)
			return &c.commands[i]
		}) || progress
	}
	return s.lower(func(c *testCase) *segment { return &c.plan }) || progress
}

// lowest is the choice of which rand.Rand makes a 0: of lower ones it makes
// nothing and draws again, to be fair.
const lowest = 1 << 32

// lower lowers the choices of one segment, which a function finds in a test
// case, copying what it is part of: to the lowest if that fails as well, and
// otherwise by half for as long as it does.
func (s *shrinker) lower(in func(*testCase) *segment) (progress bool) {
	for i := 0; ; i++ {
		for try := 0; ; try++ {
			c := s.best.testCase
			changed := in(&c)
			if i >= len(changed.given) {
				return progress
			}
			value := changed.given[i]
			lower := value / 2
			if try == 0 {
				lower = lowest
			}
			if value <= lowest || lower < lowest || s.isOver() {
				break
			}
			changed.given = slices.Clone(changed.given)
			changed.given[i] = lower
			if s.fails(c) {
				progress = true
			} else if try > 0 {
				break
			}
		}
	}
}

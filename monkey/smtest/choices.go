// SPDX-License-Identifier: Apache-2.0

package smtest

import "math/rand/v2"

// choices is a source of random numbers that begins with given ones and
// remembers what was drawn. Test cases are kept as choices, and shrunk by
// leaving some out and lowering others, so that whatever a generator makes of
// them stays valid (MacIver and Donaldson, "Test-Case Reduction via Test-Case
// Generation", ECOOP 2020).
type choices struct {
	given []uint64
	drawn []uint64
	more  *rand.PCG // what comes after the given ones
}

// segment is what one generator drew: it makes the same thing again of it.
type segment struct {
	seed  uint64
	given []uint64
}

func (s segment) choices() *choices {
	return &choices{given: s.given, more: rand.NewPCG(s.seed, uint64(len(s.given)))}
}

// Uint64 implements rand.Source.
func (c *choices) Uint64() uint64 {
	var v uint64
	if n := len(c.drawn); n < len(c.given) {
		v = c.given[n]
	} else {
		v = c.more.Uint64()
	}
	c.drawn = append(c.drawn, v)
	return v
}

// testCase is everything that is random about one log and what is done with it.
type testCase struct {
	commands []segment // one an entry of the log
	queries  []segment
	plan     segment // what a check draws
}

// isLargerThan reports whether a test case has more commands than another or,
// with as many, more choices.
func (c testCase) isLargerThan(other testCase) bool {
	if len(c.commands) != len(other.commands) {
		return len(c.commands) > len(other.commands)
	}
	return c.size() > other.size()
}

func (c testCase) size() int {
	n := len(c.plan.given)
	for _, command := range c.commands {
		n += len(command.given)
	}
	return n
}

// newCase draws a test case of at most the given number of commands.
func newCase(seed uint64, maxCommands int) testCase {
	r := rand.New(rand.NewPCG(seed, 0))
	segments := func(n int) []segment {
		drawn := make([]segment, n)
		for i := range drawn {
			drawn[i].seed = r.Uint64()
		}
		return drawn
	}
	return testCase{
		commands: segments(1 + r.IntN(maxCommands)),
		queries:  segments(queriesPerCase),
		plan:     segment{seed: r.Uint64()},
	}
}

// queriesPerCase is how many queries are asked wherever states are compared.
const queriesPerCase = 6

// SPDX-License-Identifier: Apache-2.0

package smtest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// ending is a test that is to fail: it keeps why.
type ending struct {
	*testing.T
	why string
}

func (e *ending) Fatalf(format string, args ...any) {
	e.why = fmt.Sprintf(format, args...)
	panic(e)
}

// ends runs smtest, and returns why it failed the test; empty: it didn't.
func ends(t *testing.T, m Machine, c Config) (why string) {
	e := &ending{T: t}
	defer func() {
		if v := recover(); v != nil && v != e {
			panic(v)
		}
		why = e.why
	}()
	Run(e, m, c)
	return ""
}

func TestTheSameSeedIsTheSameFailure(t *testing.T) {
	c := toyConfig()
	c.Seed, c.Runs = 5, runsToFind
	first := ends(t, newRegularToy(forgetsField), c)
	require.Contains(t, first, "(snapshots)")
	require.Equal(t, first, ends(t, newRegularToy(forgetsField), c))
	_, seed, found := strings.Cut(first, "-smtest.seed=")
	require.True(t, found)
	c.Runs = 1
	fmt.Sscan(seed, &c.Seed)
	require.Equal(t, first, ends(t, newRegularToy(forgetsField), c), "one run from the seed that is named")
}

func TestTheLineOfReproductionNamesTheTest(t *testing.T) {
	t.Run("with a part", func(t *testing.T) {
		c := toyConfig()
		require.Contains(t, ends(t, newRegularToy(changesCommand), c),
			"go test -run '^TestTheLineOfReproductionNamesTheTest$/^with_a_part$' github.com/drumbeat-raft/drumbeat/monkey/smtest -smtest.seed=")
	})
}

func TestWhatIsNoUseIsRefused(t *testing.T) {
	good := toyConfig()
	machine := newRegularToy("")
	for want, change := range map[string]func(*Config){
		"Config.Command is nil":   func(c *Config) { c.Command = nil },
		"found a negative number": func(c *Config) { c.Runs = -1 },
		"must depend on its *rand.Rand": func(c *Config) {
			c.Command = func(*rand.Rand) []byte { return fmt.Appendf(nil, "1 a %d", rand.IntN(1000)) }
		},
		"nothing was tested": func(c *Config) {
			c.Command = func(*rand.Rand) []byte { return []byte("1 a 0") }
			c.Query = nil
			c.Digest = func(any) string { return "always" }
		},
		"no way to compare two states": func(c *Config) { c.Query, c.Digest = nil, nil }, // the toy saves in the order of a map
	} {
		c := good
		c.Runs = 5
		change(&c)
		require.Contains(t, ends(t, machine, c), want)
	}
	require.Contains(t, ends(t, Machine{}, good), "Make one with Regular")
}

func TestStatesAreComparedAsWellAsCanBe(t *testing.T) {
	for want, made := range map[digests]func() (Machine, Config){
		byConfig: func() (Machine, Config) { return newRegularToy(""), toyConfig() },
		byQueries: func() (Machine, Config) { // it saves in the order of a map
			c := toyConfig()
			c.Digest = nil
			return newRegularToy(""), c
		},
		bySnapshot: func() (Machine, Config) {
			c := toyConfig()
			c.Digest = nil
			return newOnDiskToy(""), c
		},
	} {
		m, c := made()
		c.Runs = examined
		k := newKit(t, m, c)
		found, _ := k.search(1)
		require.Nil(t, found)
		require.Equal(t, want, k.digests, "%v", want)
	}
}

// TestShrinkingKeepsToItsBounds: of a failure that any log has, one command is
// left, drawn of the lowest choices.
func TestShrinkingKeepsToItsBounds(t *testing.T) {
	k := newKit(t, newRegularToy(changesCommand), toyConfig())
	found, _ := k.search(1)
	require.Less(t, k.trials, 100)
	require.Len(t, found.log, 1)
	require.Equal(t, "0 a 0", string(found.log[0].cmd))
	require.EqualValues(t, 1, found.log[0].index)
}

func TestRenderShowsContentAndNoAddresses(t *testing.T) {
	type inner struct{ N *int }
	type outer struct {
		name  string
		Inner []*inner
		ByKey map[string]any
		When  time.Duration
		f     func()
	}
	make := func() any {
		n := 3
		return &outer{"x", []*inner{{&n}, nil}, map[string]any{"b": []byte("raw"), "a": fmt.Errorf("bad")}, time.Second, func() {}}
	}
	require.Equal(t, `{name: "x", Inner: [{N: 3}, nil], ByKey: map["a": error "bad", "b": "raw"], When: 1s, f: func()}`, render(make()))
	require.Equal(t, render(make()), render(make()))
	type cycle struct{ Next *cycle }
	c := &cycle{}
	c.Next = c
	require.Contains(t, render(c), "…")
}

func TestExcerptsShowWhereTextsDiffer(t *testing.T) {
	long := strings.Repeat("same ", 100)
	a, b := excerpts(long+"here"+long, long+"there"+long)
	require.Contains(t, a, "same here")
	require.Contains(t, b, "same there")
	require.Less(t, len(a), 2*maxExcerpt)
}

// SPDX-License-Identifier: Apache-2.0

package shrink

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	_ "github.com/drumbeat-raft/drumbeat/monkey/fault"
	_ "github.com/drumbeat-raft/drumbeat/monkey/judge"
	_ "github.com/drumbeat-raft/drumbeat/monkey/statemachine/mutant"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// need is what the violation of a test needs to appear. It stands for the
// deployment.
type need struct {
	faults     []int // by their share of dropped messages
	operations []int // by their key
	cluster    int
	hosts      int
	clients    int
	setting    string // path of a field without its default; empty: none
	seeds      uint64 // it appears with one seed in so many
	odd        bool   // an odd number of faults
}

var (
	drops = regexp.MustCompile(`drop: (\d+)%`)
	keys  = regexp.MustCompile(`key: \d+/k(\d+)`)
)

// found lists the numbers that a pattern finds in a scenario.
func found(t require.TestingT, s *scenarios.Scenario, pattern *regexp.Regexp) (numbers []int) {
	text, err := s.Brief()
	require.NoError(t, err)
	for _, m := range pattern.FindAllStringSubmatch(string(text), -1) {
		n, err := strconv.Atoi(m[1])
		require.NoError(t, err)
		numbers = append(numbers, n)
	}
	return numbers
}

func (n need) met(t require.TestingT, s *scenarios.Scenario, seed uint64) bool {
	has := func(all, needed []int) bool {
		return !slices.ContainsFunc(needed, func(n int) bool { return !slices.Contains(all, n) })
	}
	return has(found(t, s, drops), n.faults) && has(found(t, s, keys), n.operations) &&
		s.Deployment.NodeHosts >= n.hosts && s.Workload.Clients >= n.clients && slices.Contains(s.Clusters.IDs(), uint64(n.cluster)) &&
		(n.setting == "" || slices.Contains(s.Settings(), n.setting)) && seed%max(n.seeds, 1) == 0 && (!n.odd || len(s.Faults)%2 == 1)
}

// big is a scenario with many faults and operations: fault n drops n %,
// operation n is on key kn.
func big(t require.TestingT, faults, operations int, cluster int) *scenarios.Scenario {
	var text strings.Builder
	text.WriteString("name: big\nwarmup: 0s\nduration: 10m\nclusters: {count: 16, statemachine: mixed, size: 3}\n" +
		"deployment: {nodehosts: 5, rtt: 50ms}\ndrummer: {heartbeat: 2s}\nworkload:\n  timeout: 3s\n  operations:\n")
	for i := range operations {
		fmt.Fprintf(&text, "    - {at: %dms, op: put, key: %d/k%d, host: nodehost-%d}\n", 137*i, cluster, i+1, i%5+1)
	}
	text.WriteString("faults:\n")
	for i := range faults {
		fmt.Fprintf(&text, "  - {kind: lossy, target: nodehost-%d, at: [%dms], for: 7s, drop: %d%%}\n", i%5+1, 9100*i+30, i+1)
	}
	s, err := scenarios.Parse("big.yaml", []byte(text.String()))
	require.NoError(t, err)
	return s
}

// search looks for the smallest scenario that meets a need.
func (n need) search(t require.TestingT, c Config, from *scenarios.Scenario) (Result, error) {
	c.Target = Violation{Check: "linearizability", Clusters: []uint64{uint64(n.cluster)}}
	c.Run = func(_ context.Context, s *scenarios.Scenario, seed uint64) (Outcome, error) {
		return Outcome{Shown: n.met(t, s, seed)}, nil
	}
	return Search(context.Background(), c, 0, from)
}

func TestOnlyWhatTheViolationNeedsIsLeft(t *testing.T) {
	n := need{faults: []int{3, 11}, operations: []int{2, 70, 71}, cluster: 5, hosts: 4, clients: 3, setting: "deployment.rtt"}
	runs := 0
	result, err := n.search(t, Config{Jobs: 1, Tries: 1, Progress: func(p Progress) { runs = p.Runs }}, big(t, 14, 200, 5))
	require.NoError(t, err)
	require.True(t, result.Complete)
	require.Equal(t, result.Runs, runs)
	text, err := result.Scenario.Brief()
	require.NoError(t, err)
	require.Equal(t, Size{Faults: 2, Operations: 3, Clusters: 1, Members: 1, NodeHosts: 4, Drummers: 1, Clients: 4, Settings: 1,
		Length: result.Scenario.Duration.D()}, SizeOf(result.Scenario), "%s", text)
	require.Equal(t, []int{3, 11}, found(t, result.Scenario, drops))
	require.Equal(t, []int{2, 70, 71}, found(t, result.Scenario, keys))
	require.Less(t, result.Scenario.Duration.D(), 3*time.Second, "nobody waits")
	require.NotRegexp(t, `\d{4}ms|\.\d{3}`, string(text), "times are readable")
	require.Less(t, runs, 200)
}

// TestTheResultReproducesAndIsMinimal draws what is needed, also such that more
// faults are not always better, and that not every seed shows it.
func TestTheResultReproducesAndIsMinimal(t *testing.T) {
	for seed := range uint64(8) {
		drawn := rand.New(rand.NewPCG(seed, 0))
		some := func(of, most int) []int { // of the numbers from 1 on
			numbers := drawn.Perm(of)[:drawn.IntN(most+1)]
			for i := range numbers {
				numbers[i]++
			}
			return numbers
		}
		n := need{faults: some(9, 4), operations: some(15, 3), cluster: 1 + drawn.IntN(16),
			hosts: 1 + drawn.IntN(5), seeds: 1 + drawn.Uint64N(3), odd: drawn.IntN(2) == 0}
		t.Logf("needed: %+v", n)
		from := big(t, 9, 15, n.cluster)
		result, err := n.search(t, Config{Jobs: 1 + drawn.IntN(3), Tries: int(n.seeds)}, from)
		require.NoError(t, err)
		require.True(t, n.met(t, result.Scenario, result.Seed))
		left := found(t, result.Scenario, drops)
		for i := range result.Scenario.Faults {
			less := clone(result.Scenario)
			less.Faults = slices.Delete(less.Faults, i, i+1)
			require.False(t, n.met(t, less, result.Seed), "of the faults %v, %d is not needed", left, left[i])
		}
		if !n.odd {
			require.ElementsMatch(t, n.faults, left)
		}
		require.Len(t, found(t, result.Scenario, keys), max(1, len(n.operations)))
	}
}

// TestSideBySideIsAsOneByOne: what runs at the same time does not decide what
// comes out.
func TestSideBySideIsAsOneByOne(t *testing.T) {
	n := need{faults: []int{4, 9}, operations: []int{7, 8}, cluster: 3, hosts: 3, seeds: 2, odd: true}
	var texts []string
	for range 3 {
		c := Config{Jobs: 3, Tries: 2}
		c.Target = Violation{Check: "linearizability"}
		c.Run = func(_ context.Context, s *scenarios.Scenario, seed uint64) (Outcome, error) {
			time.Sleep(rand.N(200 * time.Microsecond))
			return Outcome{Shown: n.met(t, s, seed)}, nil
		}
		result, err := Search(context.Background(), c, 0, big(t, 9, 15, 3))
		require.NoError(t, err)
		text, err := result.Scenario.Brief()
		require.NoError(t, err)
		texts = append(texts, fmt.Sprint(string(text), result.Seed))
	}
	require.Len(t, slices.Compact(texts), 1)
}

func TestAViolationThatDoesNotAppearAgain(t *testing.T) {
	n := need{faults: []int{99}, cluster: 1}
	result, err := n.search(t, Config{Jobs: 2, Tries: 3}, big(t, 3, 3, 1))
	require.ErrorIs(t, err, ErrNotShown)
	require.Equal(t, 3*luckyTries, result.Runs)
}

// TestTheFirstScenarioThatShowsItIsTaken: also if only a later seed does.
func TestTheFirstScenarioThatShowsItIsTaken(t *testing.T) {
	forms := []*scenarios.Scenario{big(t, 1, 1, 1), big(t, 9, 5, 1), big(t, 13, 5, 1)}
	var first Candidate
	_, err := Search(context.Background(), Config{Jobs: 2, Tries: 1, MaxRuns: 6,
		Run: func(_ context.Context, s *scenarios.Scenario, seed uint64) (Outcome, error) {
			return Outcome{Shown: len(s.Faults) >= 9 && seed == 8}, nil
		},
		Best: func(c Candidate) error {
			if first.Scenario == nil {
				first = c
			}
			return nil
		},
	}, 7, forms...)
	require.NoError(t, err)
	require.Same(t, forms[1], first.Scenario)
	require.EqualValues(t, 8, first.Seed)
}

func TestAnErrorOfARunEndsTheSearchWithTheBestSoFar(t *testing.T) {
	broken := errors.New("the disk is full")
	var runs atomic.Int64
	result, err := Search(context.Background(), Config{Jobs: 1, Tries: 1, Target: Violation{Clusters: []uint64{1}},
		Run: func(context.Context, *scenarios.Scenario, uint64) (Outcome, error) {
			if runs.Add(1) > 3 {
				return Outcome{}, broken
			}
			return Outcome{Shown: true}, nil
		}}, 7, big(t, 5, 20, 1))
	require.ErrorIs(t, err, broken)
	require.Less(t, SizeOf(result.Scenario).Operations, 20)
}

func TestTheNumberOfRunsAndTheContextEndASearch(t *testing.T) {
	n := need{faults: []int{2, 5}, operations: []int{17}, cluster: 1}
	result, err := n.search(t, Config{Jobs: 2, Tries: 1, MaxRuns: 10}, big(t, 13, 100, 1))
	require.NoError(t, err)
	require.Equal(t, 10, result.Runs)
	require.False(t, result.Complete)
	require.True(t, n.met(t, result.Scenario, 0))

	ctx, cancel := context.WithCancel(context.Background())
	var best Candidate
	result, err = Search(ctx, Config{Jobs: 2, Tries: 1,
		Run: func(ctx context.Context, s *scenarios.Scenario, _ uint64) (Outcome, error) {
			if len(s.Faults) < 5 { // interrupted in the middle of a run
				cancel()
				return Outcome{}, ctx.Err()
			}
			return Outcome{Shown: true}, nil
		},
		Best: func(c Candidate) error { best = c; return nil },
	}, 0, big(t, 13, 10, 1))
	require.NoError(t, err)
	require.False(t, result.Complete)
	require.Equal(t, best, result.Candidate)
	require.GreaterOrEqual(t, len(result.Scenario.Faults), 5)
}

// TestWhatComesAfterTheViolationIsCut: a run that stops says when.
func TestWhatComesAfterTheViolationIsCut(t *testing.T) {
	var first *scenarios.Scenario
	_, err := Search(context.Background(), Config{Jobs: 1, Tries: 1, MaxRuns: 2,
		Run: func(context.Context, *scenarios.Scenario, uint64) (Outcome, error) {
			return Outcome{Shown: true, Stopped: 20 * time.Second}, nil
		},
		Best: func(c Candidate) error { first = c.Scenario; return nil },
	}, 0, big(t, 13, 200, 1))
	require.NoError(t, err)
	require.Equal(t, 20*time.Second, first.Duration.D())
	require.Len(t, first.Faults, 3)
	require.Len(t, first.Workload.Operations, 146)
}

// TestADrawnScenarioShrinksToo: where what was drawn can't be given, entries are
// removed, and numbers become smaller.
func TestADrawnScenarioShrinksToo(t *testing.T) {
	s, err := scenarios.Load("quickstart")
	require.NoError(t, err)
	result, err := Search(context.Background(), Config{Jobs: 2, Tries: 1,
		Run: func(_ context.Context, s *scenarios.Scenario, _ uint64) (Outcome, error) {
			return Outcome{Shown: slices.ContainsFunc(s.Faults, func(f scenarios.Fault) bool { return f.Kind == "partition" }) &&
				s.Duration >= scenarios.Duration(2*time.Minute) && s.Workload.Rate >= 3}, nil
		}}, 1, s)
	require.NoError(t, err)
	require.Len(t, result.Scenario.Faults, 1)
	require.Less(t, result.Scenario.Duration.D(), 4*time.Minute)
	require.Less(t, result.Scenario.Workload.Rate, 6.)
	require.Equal(t, 1, result.Scenario.Workload.Keys)
}

func TestViolationsAreToldApart(t *testing.T) {
	key := Violation{Check: "linearizability", Key: "1/k1", Clusters: []uint64{1}}
	require.True(t, key.Is(key))
	require.False(t, Violation{Check: "linearizability", Key: "1/k2", Clusters: []uint64{1}}.Is(key))
	require.False(t, Violation{Check: "writes", Key: "1/k1", Clusters: []uint64{1}}.Is(key))
	cluster := Violation{Check: "divergence", Clusters: []uint64{4, 7}}
	require.True(t, Violation{Check: "divergence", Clusters: []uint64{1, 4}}.Is(cluster))
	require.False(t, Violation{Check: "divergence", Clusters: []uint64{7}}.Is(cluster))
	panicked := Violation{Check: "process", Panic: "index 17 at 0xc0001"}
	require.True(t, Violation{Check: "process", Panic: "index 3 at 0xc0ffee"}.Is(panicked))
	require.False(t, Violation{Check: "process", Panic: "nil map"}.Is(panicked))
	require.Equal(t, "linearizability on 1/k1", key.String())
	require.Equal(t, "divergence in cluster 4", cluster.String())
	require.Equal(t, `process: panic "index 17 at 0xc0001"`, panicked.String())
}

// TestRunsAreShortenedBeforeAnythingElse: those told to go on at the violation
// stop there, and none settles for longer than it must.
func TestRunsAreShortenedBeforeAnythingElse(t *testing.T) {
	const stop, at = "checks.linearizability.stop", 40 * time.Second
	from := big(t, 3, 100, 5)
	from, err := scenarios.Parse("big.yaml", append(brief(t, from), "checks: {linearizability: {stop: false}}\n"...))
	require.NoError(t, err)
	require.Contains(t, from.Settings(), stop)
	n := need{faults: []int{2}, operations: []int{70}, cluster: 5}
	var lengths []time.Duration
	_, err = Search(context.Background(), Config{Jobs: 1, Tries: 1, Target: Violation{Check: "linearizability", Clusters: []uint64{5}},
		Run: func(_ context.Context, s *scenarios.Scenario, seed uint64) (Outcome, error) {
			lengths = append(lengths, (s.Warmup + s.Duration + s.Settle).D())
			o := Outcome{Shown: n.met(t, s, seed)}
			if o.Shown && !slices.Contains(s.Settings(), stop) {
				o.Stopped = at
			}
			return o, nil
		}}, 0, from)
	require.NoError(t, err)
	require.Greater(t, len(lengths), 10)
	require.Greater(t, lengths[1], 10*time.Minute, "the second run finds out when it shows")
	require.LessOrEqual(t, slices.Max(lengths[2:]), at+time.Second)
}

func brief(t *testing.T, s *scenarios.Scenario) []byte {
	text, err := s.Brief()
	require.NoError(t, err)
	return text
}

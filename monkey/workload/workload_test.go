// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// run lets a workload work for a while and returns it with what it recorded.
func run(t *testing.T, s *scenarios.Scenario, target *fake, d time.Duration) (*Workload, *memory) {
	recorded := &memory{t: t}
	target.recorded = recorded
	w := New(Config{Scenario: s, Seed: 42, Target: target, Recorder: recorded, Start: time.Now()})
	time.AfterFunc(d, w.Finish)
	if err := w.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w, recorded
}

// requireLinearizable judges what was recorded.
func requireLinearizable(t *testing.T, ops []history.Op) {
	t.Helper()
	result, err := linear.Check(context.Background(), ops, linear.Options{})
	require.NoError(t, err)
	require.Equal(t, linear.OK, result.Verdict, "%+v", result)
}

var everything = []fate{works, works, works, works, works, works, refused, lost, unheard, late, hangs, rejected}

func TestHistoriesOfCorrectClustersAreLinearizable(t *testing.T) {
	for seed := range uint64(5) {
		var ops []history.Op
		synctest.Test(t, func(t *testing.T) {
			target := newFake(seed, everything...)
			w, recorded := run(t, scenario(t, "workload.timeout=2s", "workload.keys=6"), target, 2*time.Minute)
			target.fates = nil
			answers, err := w.Answers(t.Context(), []uint64{1, 2, 3})
			require.NoError(t, err)
			for _, answer := range answers {
				require.True(t, answer.Wrote && answer.Read, "%+v", answer)
			}
			members, err := w.AskMembers(t.Context(), []uint64{1, 2, 3})
			require.NoError(t, err)
			for i, m := range members {
				m.Took = 0
				require.Equal(t, MemberAnswers{Cluster: uint64(i + 1), Answered: 3}, m)
			}
			target.close()
			ops = recorded.ops
			counts := w.Stats().Counts
			require.Greater(t, counts.OK, 800)
			require.Greater(t, counts.Unknown, 50)
			require.Greater(t, counts.Fail, 50)
		})
		requireLinearizable(t, ops)
	}
}

func TestAsManyClientsAreLocalAsTheScenarioSays(t *testing.T) {
	for _, local := range []int{0, 1, 4} {
		synctest.Test(t, func(t *testing.T) {
			s := scenario(t, "workload.clients=4", fmt.Sprintf("workload.local=%d", local), "workload.burst.size=1")
			remote, near := newFake(1), newFake(2)
			recorded := &memory{t: t}
			remote.recorded, near.recorded = recorded, recorded
			w := New(Config{Scenario: s, Seed: 42, Target: remote, Local: near, Recorder: recorded, Start: time.Now()})
			time.AfterFunc(30*time.Second, w.Finish)
			require.NoError(t, w.Run(t.Context()))
			require.Equal(t, local < 4, len(remote.asked) > 0)
			require.Equal(t, local > 0, len(near.asked) > 0)
		})
	}
}

// TestOperationsAreCountedByOutcome compares the counts with the record.
func TestOperationsAreCountedByOutcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := newFake(4, everything...)
		w, recorded := run(t, scenario(t, "workload.timeout=2s"), target, time.Minute)
		target.close()
		want := Counts{}
		for _, op := range recorded.ops {
			switch op.Outcome {
			case history.OK:
				want.OK++
			case history.Fail:
				want.Fail++
			case history.Unknown:
				want.Unknown++
			}
		}
		require.Equal(t, want, w.Stats().Counts)
		require.Equal(t, len(recorded.ops), w.Stats().Total())
		require.True(t, want.OK > 0 && want.Fail > 0 && want.Unknown > 0)
	})
}

// TestJudgeFindsAnEffectThatWasCalledAFailure makes sure that the test above
// can fail.
func TestJudgeFindsAnEffectThatWasCalledAFailure(t *testing.T) {
	var ops []history.Op
	synctest.Test(t, func(t *testing.T) {
		target := newFake(1, works, works, works, works, unheard)
		_, recorded := run(t, scenario(t), target, time.Minute)
		target.close()
		ops = recorded.ops
	})
	for i := range ops {
		if ops[i].Outcome == history.Unknown {
			ops[i].Outcome, ops[i].Return = history.Fail, ops[i].Call
		}
	}
	result, err := linear.Check(context.Background(), ops, linear.Options{})
	require.NoError(t, err)
	require.NotEqual(t, linear.OK, result.Verdict)
}

func TestProposalsInDoubtAreRepeatedUnderARegisteredSessionOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := newFake(3, everything...)
		_, recorded := run(t, scenario(t, "workload.timeout=2s"), target, 3*time.Minute)
		target.close()
		repeated, refused := 0, 0
		series := map[string]bool{}
		for _, op := range recorded.ops {
			name := fmt.Sprint(op.Session, " ", op.Seq)
			require.False(t, op.Session != "" && series[name], "%+v is the second operation of its series", op)
			series[name] = true
			require.LessOrEqual(t, target.applied[op.Writer], 1, "%+v was applied twice", op)
			if op.Session == "" {
				require.False(t, target.despite[op.Writer], "%+v was repeated although it may have had an effect", op)
				if target.proposals[op.Writer] > 1 {
					refused++
				}
			} else if target.proposals[op.Writer] > 1 {
				repeated++
			}
			require.False(t, op.Session != "" && op.Cluster == 3, "cluster 3 is on disk, and takes no registered session")
		}
		require.Greater(t, repeated, 50)
		require.Greater(t, refused, 50)
	})
}

func TestSessionsAsTheScenarioSays(t *testing.T) {
	for _, test := range []struct {
		sessions string
		some     bool
		all      bool
	}{{"registered", true, true}, {"noop", false, false}, {"mixed", true, false}} {
		synctest.Test(t, func(t *testing.T) {
			s := scenario(t, "workload.sessions="+test.sessions, "clusters.statemachine=concurrent")
			target := newFake(1)
			_, recorded := run(t, s, target, time.Minute)
			target.close()
			with, without := 0, 0
			for _, op := range recorded.ops {
				if op.Session != "" {
					with++
				} else if op.Kind.Mutates() {
					without++
				}
			}
			require.Equal(t, test.some, with > 0, test.sessions)
			require.Equal(t, test.all, without == 0, test.sessions)
		})
	}
}

// TestValuesAndWritersAreUnique also has memory complain when a client id has a
// second operation open; those of unknown outcome stay open.
func TestValuesAndWritersAreUnique(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := newFake(5, everything...)
		_, recorded := run(t, scenario(t), target, 3*time.Minute)
		target.close()
		require.NotEmpty(t, recorded.ops)
		seen := map[string]bool{}
		for _, op := range recorded.ops {
			if op.Writer == "" {
				require.Equal(t, history.Get, op.Kind)
				continue
			}
			require.False(t, seen[op.Writer], "%+v", op)
			seen[op.Writer] = true
			if op.Kind != history.Delete {
				require.Equal(t, history.String(op.Writer), op.Value)
			}
		}
	})
}

// TestScheduleDependsOnTheSeedOnly: what is asked when is the same whatever
// the deployment does.
func TestScheduleDependsOnTheSeedOnly(t *testing.T) {
	first, second, other := newSchedule(scenario(t), 1), newSchedule(scenario(t), 1), newSchedule(scenario(t), 2)
	differs := false
	var last intent
	for range 10_000 {
		a, b, c := first.draw(), second.draw(), other.draw()
		require.Equal(t, a, b)
		require.GreaterOrEqual(t, a.at, last.at)
		differs = differs || a != c
		last = a
	}
	require.True(t, differs)
	require.InDelta(t, 10_000/20, last.at.Seconds(), 20, "the rate is 20 operations a second")
}

// TestGivenOperationsAreCarriedOut: at their times, and through the host that
// they name.
func TestGivenOperationsAreCarriedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		given := "workload.operations=[{at: 2s, op: put, key: 3/k9}, {at: 4s, op: get, key: 1/a, host: nodehost-2}, {at: 1m, op: delete, key: 3/k9, host: nodehost-3}]"
		target := newFake(1)
		w, recorded := run(t, scenario(t, given), target, 10*time.Minute)
		target.close()
		require.Equal(t, 3, w.Stats().Asked)
		require.Len(t, recorded.ops, 3)
		for i, want := range []struct {
			kind history.Kind
			key  string
			at   time.Duration
			host string
		}{{history.Put, "3/k9", 2 * time.Second, ""}, {history.Get, "1/a", 4 * time.Second, "nodehost-2"}, {history.Delete, "3/k9", time.Minute, "nodehost-3"}} {
			op := recorded.ops[i]
			require.Equal(t, []any{want.kind, want.key}, []any{op.Kind, op.Key})
			require.InDelta(t, want.at, op.Call, float64(time.Second), "a session may be opened first")
			if want.host != "" {
				require.Equal(t, want.host, world.HostOf(op.Host))
			}
		}
	})
}

// TestAGivenOperationDoesNotDependOnTheOthers: without one of them, the others
// draw what they drew.
func TestAGivenOperationDoesNotDependOnTheOthers(t *testing.T) {
	three := newSchedule(scenario(t, "workload.operations=[{at: 1s, op: put, key: 1/a}, {at: 2s, op: put, key: 1/a}, {at: 3s, op: put, key: 1/a}]"), 1)
	two := newSchedule(scenario(t, "workload.operations=[{at: 1s, op: put, key: 1/a}, {at: 3s, op: put, key: 1/a}]"), 1)
	var all, left []intent
	for in, more := three.next(); more; in, more = three.next() {
		all = append(all, in)
	}
	for in, more := two.next(); more; in, more = two.next() {
		left = append(left, in)
	}
	require.Len(t, all, 3)
	require.NotEqual(t, all[0].random, all[1].random)
	require.Equal(t, []intent{all[0], all[2]}, left)
}

func TestMixIsAsWeighed(t *testing.T) {
	s := newSchedule(scenario(t, "workload.mix={get: 50, put: 25, cas: 25, append: 0, delete: 0}"), 1)
	counts := map[history.Kind]int{}
	for range 10_000 {
		counts[s.draw().kind]++
	}
	require.InDelta(t, 5000, counts[history.Get], 300)
	require.InDelta(t, 2500, counts[history.Put], 300)
	require.InDelta(t, 2500, counts[history.Cas], 300)
	require.Len(t, counts, 3)
}

func TestAllClientsBlockedMeansMissedOperations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := newFake(1, hangs)
		w, recorded := run(t, scenario(t, "workload.timeout=10s", "workload.sessions=noop"), target, time.Minute)
		target.close()
		stats := w.Stats()
		require.InDelta(t, 36, len(recorded.ops), 8, "6 clients begin an operation every 10 s")
		require.Greater(t, stats.Missed, 1000)
		require.Equal(t, len(recorded.ops)+stats.Missed, stats.Asked, "each operation is begun or missed")
		require.Zero(t, stats.OK)
	})
}

func TestRunStopsAtOnceWhenItsContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := newFake(1, hangs)
		recorded := &memory{t: t}
		w := New(Config{Scenario: scenario(t, "workload.mix.get=0", "workload.timeout=10m"), Target: target, Recorder: recorded, Start: time.Now()})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		require.NoError(t, w.Run(ctx))
		require.Equal(t, time.Minute, time.Since(began))
		require.NotEmpty(t, recorded.ops)
		unknown := 0
		for _, op := range recorded.ops {
			require.NotEqual(t, history.OK, op.Outcome)
			if op.Outcome == history.Unknown {
				unknown++
			}
		}
		require.Equal(t, unknown, w.Stats().Unknown, "each of them was ended in the record, not left open")
		require.NotZero(t, unknown)
	})
}

func TestFinishLetsOpenOperationsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := newFake(1)
		target.delay = 3 * time.Second
		w, recorded := run(t, scenario(t, "workload.sessions=noop", "workload.mix={get: 0, cas: 0}"), target, 10*time.Second)
		target.close()
		w.Finish() // again
		for _, op := range recorded.ops {
			require.Equal(t, history.OK, op.Outcome, "%+v", op)
		}
		require.NotEmpty(t, recorded.ops)
	})
}

func TestRecordingErrorsEndTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full := errors.New("the disk is full")
		w := New(Config{Scenario: scenario(t), Target: newFake(1), Recorder: &memory{t: t, fail: full, left: 50}, Start: time.Now()})
		require.ErrorIs(t, w.Run(t.Context()), full)
	})
}

// Who answered is recorded, which after a retry is not who was asked first.
func TestAnswersNameTheMemberThatGaveThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := newFake(1, works, works, refused)
		_, recorded := run(t, scenario(t), target, time.Minute)
		target.close()
		others := 0
		for _, op := range recorded.ops {
			if op.Outcome != history.OK {
				require.Equal(t, op.Observed.Stated(), op.By != nil, "%+v", op)
				continue
			}
			require.NotNil(t, op.By, "%+v", op)
			if op.Kind.Mutates() {
				require.NotZero(t, op.By.Applied)
				require.Equal(t, target.answered[op.Writer], op.By.Host)
			}
			if op.By.Host != op.Host {
				others++
			}
		}
		require.Greater(t, others, 50)
	})
}

func TestUnlocatedClustersAreFailuresNotUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := newFake(1)
		target.unlocated = true
		w, recorded := run(t, scenario(t), target, 30*time.Second)
		require.NotEmpty(t, recorded.ops)
		require.Equal(t, len(recorded.ops), w.Stats().Fail)
	})
}

func TestOnlyMembersThatRunAreAskedAndEachOfThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := newFake(1)
		run(t, scenario(t), target, time.Minute)
		require.Len(t, target.asked, 3)
		require.Zero(t, target.asked["nodehost-4:2"])
	})
}

func TestAnswersGivesUpWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := newFake(1, refused)
		w := New(Config{Scenario: scenario(t), Target: target, Recorder: &memory{t: t}, Start: time.Now()})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		answers, err := w.Answers(ctx, []uint64{1, 2, 3})
		require.NoError(t, err)
		require.Len(t, answers, 3)
		for i, answer := range answers {
			require.Equal(t, uint64(i+1), answer.Cluster)
			require.False(t, answer.Wrote || answer.Read)
			require.Equal(t, time.Minute, answer.Took)
		}
	})
}

func TestMembersThatDoNotAnswerAreNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := newFake(1)
		w := New(Config{Scenario: scenario(t), Target: silentAt{target, "nodehost-2:2"}, Recorder: &memory{t: t}, Start: time.Now()})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		members, err := w.AskMembers(ctx, []uint64{1})
		require.NoError(t, err)
		require.Equal(t, []MemberAnswers{{Cluster: 1, Answered: 2, Silent: []string{"nodehost-2"}, Took: time.Minute}}, members)
	})
}

// silentAt is a Target of which one member answers no read.
type silentAt struct {
	Target
	address string
}

func (s silentAt) Read(ctx context.Context, address string, cluster uint64, query []byte) ([]byte, error) {
	if address == s.address {
		return nil, raftError(pb.RaftErrorCode_TIMEOUT, false)
	}
	return s.Target.Read(ctx, address, cluster, query)
}

func TestEveryKeyThatWasWrittenIsReadBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, recorded := run(t, scenario(t, "workload.keys=1000"), newFake(1), 5*time.Minute)
		clusters := []uint64{1, 3, 17} // one that no client used, too
		began := len(recorded.ops)
		_, err := w.Answers(t.Context(), clusters)
		require.NoError(t, err)
		require.NoError(t, w.ReadBack(t.Context(), clusters))
		reads := map[string]int{}
		for _, op := range recorded.ops[began:] {
			require.NotEqual(t, uint64(2), op.Cluster)
			if op.Kind == history.Get && op.Outcome == history.OK {
				reads[op.Key]++
			}
		}
		written := 0
		for _, op := range recorded.ops {
			if op.Kind.Mutates() && op.Outcome == history.OK && op.Cluster != 2 {
				written++
				require.Equal(t, 1, reads[op.Key], op.Key)
			}
		}
		require.Greater(t, written, 500)
		require.Greater(t, len(reads), 300)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.NoError(t, w.ReadBack(ctx, clusters)) // nothing is left
		require.NoError(t, ctx.Err())
	})
}

func TestApplicationNamesFollowTheKind(t *testing.T) {
	names := ""
	for cluster := range uint64(3) {
		names += fmt.Sprint(ApplicationOf(scenario(t), cluster+1), " ")
	}
	require.Equal(t, "kv kv-concurrent kv-ondisk ", names)
	require.Equal(t, "kv-ondisk", ApplicationOf(scenario(t, "clusters.statemachine=ondisk"), 1))
}

// TestCasMatchAndMismatch: both ends of a cas are worth testing.
func TestCasMatchAndMismatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := newFake(1)
		_, recorded := run(t, scenario(t), target, 5*time.Minute)
		matched, not := 0, 0
		for _, op := range recorded.ops {
			if op.Kind == history.Cas && op.Outcome == history.OK {
				matched++
			} else if op.Kind == history.Cas {
				not++
				require.True(t, op.Observed.Stated())
			}
		}
		require.Greater(t, matched, 100)
		require.Greater(t, not, 50)
	})
}

// Each phase has its own load, and after the last one it is as before the first.
func TestPhasesHaveTheirOwnLoad(t *testing.T) {
	s, err := scenarios.Parse("test.yaml", []byte(`{name: test, warmup: 10s, workload: {rate: 10, clients: 100},
phases: [{duration: 10s, workload: {rate: 200, mix: {get: 1, put: 0, cas: 0, append: 0, delete: 0}}}, {duration: 10s}]}`))
	require.NoError(t, err)
	drawn := newSchedule(s, 1)
	counts, gets := map[int]int{}, map[int]int{}
	for {
		in, _ := drawn.next()
		if in.at > 40*time.Second {
			break
		}
		counts[int(in.at/(10*time.Second))]++
		if in.kind == history.Get {
			gets[int(in.at/(10*time.Second))]++
		}
	}
	require.InDelta(t, 2000, counts[1], 300)
	require.Equal(t, counts[1], gets[1])
	for _, phase := range []int{0, 2, 3} {
		require.InDelta(t, 100, counts[phase], 60)
		require.Less(t, gets[phase], counts[phase])
	}
}

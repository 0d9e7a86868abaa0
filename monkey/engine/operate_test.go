// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// facts is a log in memory of a run that began at its zero.
type facts struct {
	began time.Time
	all   []timeline.Fact
}

func (f *facts) Add(fact timeline.Fact)          { f.all = append(f.all, fact) }
func (f *facts) Since(t time.Time) time.Duration { return t.Sub(f.began) }

// What Drummer accepted, and when it should have been asked, is on record. What
// it did not accept is another fact, and the last one.
func TestOnlyAcceptedActionsAreRecordedAsTaken(t *testing.T) {
	const second = scenarios.Duration(time.Second)
	actions := []scenarios.Action{{Do: scenarios.Drain, At: 2 * second}, {Do: scenarios.PauseAll, At: 3 * second}, {Do: scenarios.Resume, At: 90 * second}}
	for name, c := range map[string]struct {
		act   func(ctx context.Context, a scenarios.Action) (string, error)
		limit time.Duration // of the phase
		want  []timeline.Fact
		err   string
	}{
		"all are accepted": {func(context.Context, scenarios.Action) (string, error) { return "it", nil }, time.Hour, []timeline.Fact{
			timeline.OperatorActed{Action: "drain", Planned: 12 * time.Second, Text: "it"},
			timeline.OperatorActed{Action: "pause", Planned: 13 * time.Second, Text: "it"},
			timeline.OperatorActed{Action: "resume", Planned: 100 * time.Second, Text: "it"},
		}, ""},
		"one is refused": {func(_ context.Context, a scenarios.Action) (string, error) {
			if a.Do == scenarios.PauseAll {
				return "Drummer", errors.New("not now")
			}
			return "it", nil
		}, time.Hour, []timeline.Fact{
			timeline.OperatorActed{Action: "drain", Planned: 12 * time.Second, Text: "it"},
			timeline.OperatorFailed{Action: "pause", Planned: 13 * time.Second, Error: "not now"},
		}, "the action pause at 3s: not now"},
		"one gets no answer": {func(ctx context.Context, _ scenarios.Action) (string, error) {
			<-ctx.Done()
			return "it", ctx.Err()
		}, time.Hour, []timeline.Fact{
			timeline.OperatorFailed{Action: "drain", Planned: 12 * time.Second, Error: "context deadline exceeded"},
		}, "the action drain at 2s: context deadline exceeded"},
		"the run is interrupted": {func(ctx context.Context, _ scenarios.Action) (string, error) {
			<-ctx.Done()
			return "it", ctx.Err()
		}, 10 * time.Second, []timeline.Fact{
			timeline.OperatorFailed{Action: "drain", Planned: 12 * time.Second, Error: "context deadline exceeded"},
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log := &facts{began: time.Now()}
				time.Sleep(10 * time.Second)
				ctx, cancel := context.WithTimeout(t.Context(), c.limit)
				defer cancel()
				err := operate(ctx, log, time.Now(), actions, c.act)
				if c.err == "" {
					require.NoError(t, err)
				} else {
					require.EqualError(t, err, c.err)
				}
				require.Equal(t, c.want, log.all)
			})
		})
	}
}

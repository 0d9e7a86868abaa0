// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"context"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

const (
	// answersAtOnce bounds the clusters that are asked at the same time.
	answersAtOnce = 16
	// answersPause is the time between two tries.
	answersPause = 500 * time.Millisecond
	// maxFinalReads bounds the keys that are read in each cluster at the end.
	maxFinalReads = 100
)

// Answer tells whether a cluster answers.
type Answer struct {
	Cluster uint64
	Wrote   bool // a write succeeded
	Read    bool // all reads succeeded, of every key or of 100 of them
	Took    time.Duration
}

// Answers asks every cluster for a write, and then for its keys, again and
// again until it answers or ctx ends. All of that is part of the history, so
// that the final state is judged, too. It returns one Answer a cluster, in
// order. Call it after Run.
func (w *Workload) Answers(ctx context.Context) ([]Answer, error) {
	answers := make([]Answer, w.clusters.Count)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(answersAtOnce)
	for i := range answers {
		luck := w.schedule.rand.Uint64()
		group.Go(func() (err error) {
			answers[i], err = w.ask(ctx, uint64(i+1), luck)
			return err
		})
	}
	return answers, group.Wait()
}

// ask asks one cluster, as a client of its own.
func (w *Workload) ask(ctx context.Context, cluster, luck uint64) (answer Answer, err error) {
	began := time.Now()
	drawn := rand.New(rand.NewPCG(luck, cluster))
	asker := w.newWorker(false)
	answer.Cluster = cluster
	written := keyName(cluster, drawn.IntN(w.settings.Keys))
	if answer.Wrote, err = asker.insist(ctx, intent{cluster: cluster, key: written, kind: history.Put}, drawn); err != nil || !answer.Wrote {
		answer.Took = time.Since(began)
		return answer, err
	}
	answer.Read = true
	for _, key := range someOf(w.settings.Keys, drawn) {
		if !answer.Read || err != nil {
			break
		}
		answer.Read, err = asker.insist(ctx, intent{cluster: cluster, key: keyName(cluster, key), kind: history.Get}, drawn)
	}
	answer.Took = time.Since(began)
	return answer, err
}

// someOf draws up to maxFinalReads of n keys, all if there are no more.
func someOf(n int, drawn *rand.Rand) []int {
	keys := make([]int, min(n, maxFinalReads))
	first := drawn.IntN(n)
	for i := range keys {
		keys[i] = (first + i) % n
	}
	return keys
}

// insist repeats an intent, as a new operation each time, until it succeeds.
func (w *worker) insist(ctx context.Context, in intent, drawn *rand.Rand) (bool, error) {
	for ctx.Err() == nil {
		in.luck = drawn.Uint64()
		outcome, err := w.do(ctx, in)
		if err != nil || outcome == history.OK {
			return err == nil, err
		}
		pause(ctx, answersPause)
	}
	return false, nil
}

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
	// maxAnswers bounds the keys that a cluster must answer for.
	maxAnswers = 100
)

// Answer tells whether a cluster answers.
type Answer struct {
	Cluster uint64
	Wrote   bool // a write succeeded
	Read    bool // all reads succeeded, of every key or of 100 of them
	Took    time.Duration
}

// Answers asks the clusters for a write, and then for their keys, again and
// again until they answer or ctx ends. All of that is part of the history, so
// that the final state is judged, too. It returns one Answer a cluster, in
// their order. Call it after Run.
func (w *Workload) Answers(ctx context.Context, clusters []uint64) ([]Answer, error) {
	answers := make([]Answer, len(clusters))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(answersAtOnce)
	for i, cluster := range clusters {
		luck := w.schedule.rand.Uint64()
		group.Go(func() (err error) {
			answers[i], err = w.ask(ctx, cluster, luck)
			return err
		})
	}
	return answers, group.Wait()
}

// ReadBack reads the keys of the clusters that had an acknowledged write and
// are so many that Answers left them out, until ctx ends. Call it after Answers.
func (w *Workload) ReadBack(ctx context.Context, clusters []uint64) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(answersAtOnce)
	for _, cluster := range clusters {
		drawn := rand.New(rand.NewPCG(w.schedule.rand.Uint64(), cluster))
		group.Go(func() error {
			reader := w.newWorker(false)
			for _, key := range w.written.of(cluster) {
				if _, err := reader.readBack(ctx, cluster, key, drawn); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
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
		answer.Read, err = asker.readBack(ctx, cluster, keyName(cluster, key), drawn)
	}
	answer.Took = time.Since(began)
	return answer, err
}

// readBack reads a key in the end.
func (w *worker) readBack(ctx context.Context, cluster uint64, key string, drawn *rand.Rand) (bool, error) {
	ok, err := w.insist(ctx, intent{cluster: cluster, key: key, kind: history.Get}, drawn)
	if ok {
		w.written.readBack(cluster, key)
	}
	return ok, err
}

// someOf draws up to maxAnswers of n keys, all if there are no more.
func someOf(n int, drawn *rand.Rand) []int {
	keys := make([]int, min(n, maxAnswers))
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

// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

const (
	// clustersAtOnce bounds the clusters that are asked at the same time.
	clustersAtOnce = 16
	// answerBackoff is the time between two operations that ask for the same.
	answerBackoff = 500 * time.Millisecond
	// maxKeysAsked bounds the keys that a cluster must answer for.
	maxKeysAsked = 100
)

// Answer says whether a cluster answers.
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
	return answers, w.each(ctx, clusters, func(ctx context.Context, i int, drawn *rand.Rand) (err error) {
		answers[i], err = w.ask(ctx, clusters[i], drawn)
		return err
	})
}

// each does something with each of some clusters, several at a time, until one fails. A
// cluster has a random source of its own.
func (w *Workload) each(ctx context.Context, clusters []uint64, do func(ctx context.Context, i int, drawn *rand.Rand) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(clustersAtOnce)
	for i, cluster := range clusters {
		drawn := rand.New(rand.NewPCG(w.schedule.rand.Uint64(), cluster))
		group.Go(func() error { return do(ctx, i, drawn) })
	}
	return group.Wait()
}

// ReadBack reads the keys of the clusters that had an acknowledged write and
// are so many that Answers left them out, until ctx ends. Call it after Answers.
func (w *Workload) ReadBack(ctx context.Context, clusters []uint64) error {
	return w.each(ctx, clusters, func(ctx context.Context, i int, drawn *rand.Rand) error {
		reader := w.newWorker(w.target, false, newKnown())
		for _, key := range w.written.of(clusters[i]) {
			if _, err := reader.readBack(ctx, clusters[i], key, drawn); err != nil {
				return err
			}
		}
		return nil
	})
}

// ask asks one cluster, as a client of its own.
func (w *Workload) ask(ctx context.Context, cluster uint64, drawn *rand.Rand) (answer Answer, err error) {
	began := time.Now()
	defer func() { answer.Took = time.Since(began) }()
	prober := w.newWorker(w.target, false, newKnown())
	answer.Cluster = cluster
	if w.operations != nil {
		return prober.askForBrought(ctx, answer, drawn)
	}
	written := keyName(cluster, drawn.IntN(w.settings.Keys))
	answer.Wrote, err = prober.retryUntilOK(ctx, intent{cluster: cluster, key: written, kind: history.Put}, drawn)
	if err != nil || !answer.Wrote {
		return answer, err
	}
	first := drawn.IntN(w.settings.Keys)
	for i := range min(w.settings.Keys, maxKeysAsked) {
		key := keyName(cluster, (first+i)%w.settings.Keys)
		if answer.Read, err = prober.readBack(ctx, cluster, key, drawn); err != nil || !answer.Read {
			break
		}
	}
	return answer, err
}

// readBack reads a key in the end, and reports whether that succeeded.
func (w *worker) readBack(ctx context.Context, cluster uint64, key string, drawn *rand.Rand) (bool, error) {
	ok, err := w.retryUntilOK(ctx, intent{cluster: cluster, key: key, kind: history.Get}, drawn)
	if ok {
		w.written.readBack(cluster, key)
	}
	return ok, err
}

// retryUntilOK repeats an intent, as a new operation each time, until it
// succeeds or ctx ends, and reports whether it did.
func (w *worker) retryUntilOK(ctx context.Context, in intent, drawn *rand.Rand) (bool, error) {
	for ctx.Err() == nil {
		in.random = drawn.Uint64()
		outcome, err := w.do(ctx, in)
		if err != nil || outcome == history.OK {
			return err == nil, err
		}
		pause(ctx, answerBackoff)
	}
	return false, nil
}

// written remembers the keys with an acknowledged write that were not read back
// in the end. It is safe for concurrent use.
type written struct {
	mu   sync.Mutex
	keys map[uint64]map[string]bool // by cluster
}

func newWritten() *written { return &written{keys: map[uint64]map[string]bool{}} }

func (w *written) add(cluster uint64, key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.keys[cluster] == nil {
		w.keys[cluster] = map[string]bool{}
	}
	w.keys[cluster][key] = true
}

func (w *written) readBack(cluster uint64, key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.keys[cluster], key)
}

// of lists the keys of a cluster, in order.
func (w *written) of(cluster uint64) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(maps.Keys(w.keys[cluster]))
}

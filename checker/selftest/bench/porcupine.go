// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear"
	"github.com/drumbeat-raft/drumbeat/checker/linear/keylog"
	"github.com/drumbeat-raft/drumbeat/checker/linear/model"
	"github.com/drumbeat-raft/drumbeat/checker/selftest/generate"
	"github.com/drumbeat-raft/drumbeat/checker/selftest/reference"
)

// contest is a kind of history that porcupine and the checker judge.
type contest struct {
	name string
	spec generate.Spec
	// goal is the least ratio from a log that is laid out already.
	goal float64
	// seeds is the number of histories whose times are added up, 1 if it is 0:
	// porcupine's time varies tenfold from history to history.
	seeds int
	// plant puts a stale read near the end.
	plant bool
}

func contests(o *Options) []contest {
	spec := func(ops, keys, clients int, unknown float64) generate.Spec {
		return generate.Spec{Seed: 1, Ops: ops, Keys: keys, Clients: clients, Unknown: unknown, Put: 0.4, Cas: 0.1}
	}
	repeat := func(clients int) generate.Spec {
		return generate.Spec{Seed: 1, Ops: 10_000, Keys: 1, Clients: clients, Unknown: 0.02, Put: 0.3, Cas: 0.2, Values: 5}
	}
	busy := spec(10_000, 10, 128, 0.01)
	busy.Busy = true
	return []contest{
		{name: millionName, spec: o.theMillion(), goal: 50},
		{name: "10k x 10 x 128 x 1 %, clients always busy", spec: busy, goal: 100_000, seeds: 3},
		{name: "the same, idle for a third of their time", spec: spec(10_000, 10, 128, 0.01), seeds: 5},
		{name: "one key, 1k x 32", spec: spec(1_000, 1, 32, 0), goal: 1_000_000},
		{name: "stale read planted late, 10k x 10 x 32 x 5 %", spec: spec(10_000, 10, 32, 0.05), goal: 100_000, plant: true},
		{name: "10k x 5 clients, values repeat, 2 % crashed", spec: repeat(5), goal: 0.83},
		{name: "10k x 10 clients, values repeat, 2 % crashed", spec: repeat(10), goal: 0.83},
	}
}

// times are what one history took, or several together.
type times struct {
	fromOps, fromLog, porcupine time.Duration
	stopped                     bool // porcupine was
	note                        string
}

func againstPorcupine(ctx context.Context, t *table) error {
	for _, c := range contests(&t.Options) {
		var sum times
		for range max(1, c.seeds) {
			one, err := c.run(ctx, t)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			sum.fromOps, sum.fromLog, sum.porcupine = sum.fromOps+one.fromOps, sum.fromLog+one.fromLog, sum.porcupine+one.porcupine
			sum.stopped, sum.note = sum.stopped || one.stopped, one.note
			c.spec.Seed++
		}
		if c.seeds > 1 {
			sum.note = fmt.Sprintf("%d histories; %s", c.seeds, sum.note)
		}
		t.ratios(c.name, sum, c.goal)
	}
	return realHistories(ctx, t)
}

// ratios prints two figures: from operations, and from a log laid out already.
func (t *table) ratios(name string, m times, least float64) {
	t.row(name, float64(m.porcupine)/float64(m.fromOps), m.stopped, "", goal{}, fmt.Sprintf("porcupine %s, from []history.Op %s", round(m.porcupine), round(m.fromOps)))
	g := goal{least: least}
	if t.Quick {
		g = goal{}
	}
	t.row(name+": judging alone", float64(m.porcupine)/float64(m.fromLog), m.stopped, "", g, fmt.Sprintf("from a log laid out already %s; %s", round(m.fromLog), m.note))
}

func (c contest) run(ctx context.Context, t *table) (m times, err error) {
	if t.Quick {
		c.spec.Ops = min(c.spec.Ops, 2000)
	}
	ops := generate.History(c.spec)
	want := linear.OK
	if c.plant {
		want = linear.Violation
		plantStale(ops)
	}
	var res linear.Result
	m.fromOps = t.best(func() { res, err = linear.Check(ctx, ops, linear.Options{}) })
	if err != nil {
		return m, err
	}
	if res.Verdict != want {
		return m, fmt.Errorf("judged %s, not %s: %s", res.Verdict, want, res.Explanation)
	}
	log, err := keylog.Of(model.KV, ops)
	if err != nil {
		return m, err
	}
	m.fromLog = t.best(func() { res = linear.CheckLog(ctx, log, func(i int) history.Op { return ops[i] }, linear.Options{}) })
	var verdict porcupine.CheckResult
	m.porcupine, verdict = t.Options.porcupine(ops)
	m.stopped = verdict == porcupine.Unknown
	if !m.stopped && (verdict == porcupine.Ok) != (want == linear.OK) {
		return m, fmt.Errorf("porcupine says %s", verdict)
	}
	above := allocated(func() { linear.CheckLog(ctx, log, nil, linear.Options{}) })
	m.note = fmt.Sprintf("%s, %d bytes an operation above the log", res.Engine, above/int64(len(ops)))
	if c.plant {
		m.note += "; " + res.Explanation
	}
	return m, nil
}

// plantStale lets a late read observe what was there long before.
func plantStale(ops []history.Op) {
	for i := len(ops) * 9 / 10; i < len(ops); i++ {
		if ops[i].Kind != history.Get || ops[i].Outcome != history.OK {
			continue
		}
		for j := len(ops) / 2; j < len(ops); j++ {
			if w := &ops[j]; w.Key == ops[i].Key && w.Kind == history.Put && w.Outcome == history.OK {
				ops[i].Observed, ops[i].ObservedWriter = w.Value, w.Writer
				return
			}
		}
	}
}

// leastEtcdRatio is the goal on the etcd logs.
const leastEtcdRatio = 20

// realHistories measures the Jepsen logs of etcd, whose values repeat.
func realHistories(ctx context.Context, t *table) error {
	const name = "the etcd logs of Jepsen, values repeat"
	files, _ := filepath.Glob(filepath.Join(t.Histories, "etcd-jepsen", "*.log"))
	if len(files) == 0 {
		t.missing(name, fmt.Sprintf("there are no etcd-jepsen/*.log in %q", t.Histories))
		return nil
	}
	calls := 20
	if t.Quick {
		calls = 1
	}
	var sum times
	slower := 0
	for _, path := range files {
		ops, err := history.ReadFile(path, history.Auto)
		if err != nil {
			return err
		}
		log, err := keylog.Of(model.KV, ops)
		if err != nil {
			return err
		}
		o := linear.Options{NoCore: true}
		var res linear.Result
		fromLog := least(calls, func() { res = linear.CheckLog(ctx, log, func(i int) history.Op { return ops[i] }, o) })
		fromOps := least(calls, func() { _, err = linear.Check(ctx, ops, o) })
		if err != nil {
			return err
		}
		m, operations := reference.Model(), reference.Operations(ops)
		var legal bool
		theirs := least(calls, func() { legal = porcupine.CheckOperations(m, operations) })
		if legal != (res.Verdict == linear.OK) {
			return fmt.Errorf("%s: %s, but porcupine: legal %v", path, res.Verdict, legal)
		}
		sum.fromLog, sum.fromOps, sum.porcupine = sum.fromLog+fromLog, sum.fromOps+fromOps, sum.porcupine+theirs
		if fromOps > theirs {
			slower++
		}
	}
	sum.note = fmt.Sprintf("slower than porcupine on %d of %d", slower, len(files))
	t.ratios(name, sum, leastEtcdRatio)
	return nil
}

func least(n int, do func()) time.Duration {
	d := time.Duration(math.MaxInt64)
	for range n {
		begin := time.Now()
		do()
		d = min(d, time.Since(begin))
	}
	return d
}

// Histories returns the folder of real histories beside the module's root, as
// seen from dir; "" if there is none.
func Histories(dir string) string {
	const deepest = 8 // folders between dir and the root
	for range deepest {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		dir = filepath.Join(dir, "..")
	}
	dir = filepath.Join(dir, "..", "shared", "histories")
	if _, err := os.Stat(dir); err != nil {
		return ""
	}
	return dir
}

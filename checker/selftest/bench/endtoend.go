// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/drumbeat-raft/drumbeat/checker"
	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear"
	"github.com/drumbeat-raft/drumbeat/checker/selftest/generate"
)

// The goals of judging a million operations.
const (
	leastMBPerSecond = 500  // of a JSONL file, with the verdict
	mostJudging      = 15   // percent of the time that reading takes
	mostMemory       = 2    // times the size of the file
	leastRatio       = 10   // to porcupine, from a []history.Op
	million          = 1e6  // bytes of a MB
	percent          = 100. // of one
)

// theMillion is a history of a million operations.
func (o *Options) theMillion() generate.Spec {
	s := generate.Spec{Seed: 1, Ops: 1_000_000, Keys: 1000, Clients: 32, Unknown: 0.01, Put: 0.4, Cas: 0.1}
	if o.Quick {
		s.Ops, s.Keys = 20_000, 20
	}
	return s
}

const millionName = "1M operations x 1000 keys x 32 clients x 1 % unknown"

// endToEnd measures what a user waits for: from a file, and from operations in
// memory.
func endToEnd(ctx context.Context, t *table) error {
	ops := generate.History(t.theMillion())
	if err := fromMemory(ctx, t, ops); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "checker-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for _, f := range []struct {
		name string
		goal float64
	}{{"history.jsonl", leastMBPerSecond}, {"history.jsonl.zst", 0}} {
		path := filepath.Join(dir, f.name)
		size := &counter{}
		err := history.WriteFile(path, func(w io.Writer) error {
			size.to = w
			return history.Write(size, ops, history.JSONL)
		})
		if err != nil {
			return err
		}
		if err := fromFile(ctx, t, path, float64(size.n), f.goal); err != nil {
			return err
		}
	}
	return peakMemory(ctx, t, filepath.Join(dir, "history.jsonl"))
}

func fromMemory(ctx context.Context, t *table, ops []history.Op) error {
	var res linear.Result
	var err error
	here := t.best(func() { res, err = linear.Check(ctx, ops, linear.Options{}) })
	if err != nil {
		return err
	}
	there, verdict := t.porcupine(ops)
	if res.Verdict != linear.OK || verdict == porcupine.Illegal {
		return fmt.Errorf("judged %s, and %s by porcupine", res.Verdict, verdict)
	}
	g := goal{least: leastRatio}
	if t.Quick {
		g = goal{}
	}
	t.row("[]history.Op: times as fast as porcupine; "+millionName, float64(there)/float64(here), verdict == porcupine.Unknown, "", g,
		fmt.Sprintf("porcupine %s, here %s, %.0f ns an operation", round(there), round(here), float64(here.Nanoseconds())/float64(len(ops))))
	return nil
}

// fromFile measures a file whose text, unpacked, has size bytes.
func fromFile(ctx context.Context, t *table, path string, size, least float64) error {
	var reading, whole, busy time.Duration
	var err error
	var res checker.Result
	whole = t.best(func() {
		begin, cpu := time.Now(), cpuTime()
		var h *checker.History
		if h, err = checker.Load(ctx, path, checker.Options{}); err != nil {
			return
		}
		read := time.Since(begin)
		res, err = h.Check(ctx, linear.Options{})
		if all := time.Since(begin); whole == 0 || all < whole {
			reading, whole = read, all
		}
		if used := cpuTime() - cpu; used > 0 && (busy == 0 || used < busy) {
			busy = used
		}
	})
	if err != nil {
		return err
	}
	if res.Verdict != linear.OK {
		return fmt.Errorf("%s: judged %s: %s", path, res.Verdict, res.Explanation)
	}
	name := filepath.Base(path)
	rate, judging := goal{least: least}, goal{most: mostJudging}
	if t.Quick || least == 0 {
		rate, judging = goal{}, goal{}
	}
	t.row(name+": with the verdict", size/million/whole.Seconds(), false, " MB/s", rate,
		fmt.Sprintf("%.0f MB of text, read in %s, judged in %s", size/million, round(reading), round(whole-reading)))
	if busy > 0 {
		// What other processes leave of the machine matters less to this one.
		t.row(name+": the same, for a second of one core's work", size/million/busy.Seconds(), false, " MB", goal{}, round(busy)+" of processor time in all")
	}
	t.row(name+": judging on top of reading", percent*float64(whole-reading)/float64(reading), false, " %", judging, "")
	return nil
}

// peakMemory runs a checker of its own, since this process holds much more.
func peakMemory(ctx context.Context, t *table, path string) error {
	const name = "history.jsonl: peak memory, in sizes of the file"
	if len(t.Command) == 0 {
		t.missing(name, "there is no command to run")
		return nil
	}
	st, err := os.Stat(path)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, t.Command[0], append(t.Command[1:], path)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", cmd.Args, err, out)
	}
	peak, ok := maxRSS(cmd.ProcessState)
	if !ok {
		t.missing(name, "this operating system does not tell")
		return nil
	}
	t.row(name, float64(peak)/float64(st.Size()), false, "", goal{most: mostMemory}, fmt.Sprintf("%.0f MB", float64(peak)/million))
	return nil
}

// counter counts what it passes on.
type counter struct {
	to io.Writer
	n  int64
}

func (c *counter) Write(b []byte) (int, error) {
	c.n += int64(len(b))
	return c.to.Write(b)
}

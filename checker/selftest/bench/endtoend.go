// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"bufio"
	"context"
	"errors"
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
	dir, err := os.MkdirTemp("", "checker-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	plain, packed := filepath.Join(dir, "history.jsonl"), filepath.Join(dir, "history.jsonl.zst")
	size, err := t.write(plain)
	if err != nil {
		return err
	}
	// First, while this process is small: the kernel counts what a process
	// held before it became the command.
	if err := peakMemory(ctx, t, plain, size); err != nil {
		return err
	}
	if err := fromFile(ctx, t, plain, size, leastMBPerSecond); err != nil {
		return err
	}
	if _, err := t.write(packed); err != nil {
		return err
	}
	if err := fromFile(ctx, t, packed, size, 0); err != nil {
		return err
	}
	return fromMemory(ctx, t, generate.History(t.theMillion()))
}

// write writes the million operations as JSONL, without holding them, and
// returns how many bytes of text they are.
func (o *Options) write(path string) (size float64, err error) {
	err = history.WriteFile(path, func(w io.Writer) error {
		buffered := bufio.NewWriterSize(w, 1<<16)
		var line []byte
		var failed error
		generate.Each(o.theMillion(), func(op history.Op) {
			if failed != nil {
				return
			}
			if line, failed = op.AppendJSON(line[:0]); failed == nil {
				size += float64(len(line))
				_, failed = buffered.Write(line)
			}
		})
		return errors.Join(failed, buffered.Flush())
	})
	return size, err
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

// peakMemory runs a checker of its own.
func peakMemory(ctx context.Context, t *table, path string, size float64) error {
	const name = "history.jsonl: peak memory, in sizes of the file"
	if len(t.Command) == 0 {
		t.missing(name, "there is no command to run")
		return nil
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
	t.row(name, float64(peak)/size, false, "", goal{most: mostMemory}, fmt.Sprintf("%.0f MB; %s", float64(peak)/million, millionName))
	return nil
}

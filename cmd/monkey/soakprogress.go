// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/drumbeat-raft/drumbeat/monkey/harness"
	"github.com/drumbeat-raft/drumbeat/monkey/judge"
	"github.com/drumbeat-raft/drumbeat/monkey/report"
)

// soakProgress shows runs that go on side by side: a line for each that ended,
// the whole table for one that did not pass, and a line for those at work, which
// moves on a terminal and comes once a minute otherwise. It is safe for
// concurrent use.
type soakProgress struct {
	out      io.Writer // results
	f        *os.File  // what goes on
	terminal bool

	mu     sync.Mutex
	last   time.Time                   // of the last line, without a terminal
	atWork map[uint64]harness.Progress // by seed
}

func newSoakProgress(f *os.File) *soakProgress {
	return &soakProgress{out: os.Stdout, f: f, terminal: term.IsTerminal(int(f.Fd())), last: time.Now(), atWork: map[uint64]harness.Progress{}}
}

// show notes how far the run of a seed is.
func (p *soakProgress) show(seed uint64, at harness.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.atWork[seed] = at
	if !p.terminal && time.Since(p.last) < time.Minute {
		return
	}
	p.last = time.Now()
	var parts []string
	for _, seed := range slices.Sorted(maps.Keys(p.atWork)) {
		at := p.atWork[seed]
		parts = append(parts, fmt.Sprintf("seed %d %s %s of %s", seed, at.Phase, at.At.Round(time.Second), at.Total.Round(time.Second)))
	}
	if line := strings.Join(parts, "; "); p.terminal {
		fmt.Fprintf(p.f, "\r%s\x1b[K", line)
	} else {
		fmt.Fprintln(p.f, line)
	}
}

// finished prints the result of a run that is over.
func (p *soakProgress) finished(r *judge.Result, asJSON bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.atWork, r.Seed)
	if p.terminal {
		fmt.Fprint(p.f, "\r\x1b[K")
	}
	switch {
	case asJSON:
		b, err := json.Marshal(r)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.out, "%s\n", b)
		return err
	case r.Verdict == judge.Pass:
		_, err := fmt.Fprintln(p.out, oneLine(r))
		return err
	}
	return report.Table(p.out, r)
}

// oneLine sums a run up.
func oneLine(r *judge.Result) string {
	line := fmt.Sprintf("%-12s %s seed %d: %s", r.Verdict, r.Scenario, r.Seed, report.Pace(r))
	if r.Dir != "" {
		line += ", " + r.Dir
	}
	if r.Reason != "" {
		line += ", " + r.Reason
	}
	return line
}

// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/drumbeat-raft/drumbeat/monkey/harness"
	"github.com/drumbeat-raft/drumbeat/monkey/report"
)

// progress shows how a run goes: a bar that moves on a terminal, otherwise a
// line a minute.
type progress struct {
	f        *os.File
	terminal bool
	last     time.Time // of the last line, without a terminal
	drawn    bool
}

func newProgress(f *os.File) *progress {
	return &progress{f: f, terminal: term.IsTerminal(int(f.Fd())), last: time.Now()}
}

const barWidth = 30

func (p *progress) show(at harness.Progress) {
	line := fmt.Sprintf("%-8s %6s of %s  %s ops  %d faults", at.Phase, at.At.Round(time.Second), at.Total.Round(time.Second),
		report.Count(int64(at.Ops)), at.Faults)
	if !p.terminal {
		if time.Since(p.last) >= time.Minute {
			p.last = time.Now()
			fmt.Fprintln(p.f, line)
		}
		return
	}
	filled := 0
	if at.Total > 0 {
		filled = min(barWidth, int(barWidth*at.At/at.Total))
	}
	fmt.Fprintf(p.f, "\r[%s%s] %s\x1b[K", strings.Repeat("=", filled), strings.Repeat(" ", barWidth-filled), line)
	p.drawn = true
}

func (p *progress) end() {
	if p.drawn {
		fmt.Fprint(p.f, "\r\x1b[K")
	}
}

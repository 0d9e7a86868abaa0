// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/term"
)

// progress shows on a terminal how far reading is.
type progress struct {
	w     io.Writer
	path  string
	start time.Time
	shown atomic.Bool
}

func newProgress(o *options, path string, stderr io.Writer) *progress {
	f, ok := stderr.(*os.File)
	if !ok || o.quiet || !term.IsTerminal(int(f.Fd())) {
		return &progress{}
	}
	return &progress{w: stderr, path: path, start: time.Now()}
}

func (p *progress) update(n int64) {
	if p.w == nil || time.Since(p.start) < time.Second {
		return
	}
	p.shown.Store(true)
	fmt.Fprintf(p.w, "\r%s: %d operations read, %v", p.path, n, time.Since(p.start).Round(time.Second))
}

func (p *progress) end() {
	if p.shown.Load() {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}

// SPDX-License-Identifier: Apache-2.0

//go:build unix

package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/cmd/internal/program"
)

// An interrupt ends a read that waits for input, and nothing is begun after it.
func TestAnInterruptEndsABlockedRead(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	for name, prepare := range map[string]func() *os.File{
		"waiting for the other end": func() *os.File { return nil },
		"waiting for more": func() *os.File {
			f, err := os.OpenFile(fifo, os.O_RDWR, 0)
			require.NoError(t, err)
			_, err = f.WriteString(legal)
			require.NoError(t, err)
			return f
		},
	} {
		t.Run(name, func(t *testing.T) {
			held := prepare()
			bad := write(t, "bad.jsonl", illegal)
			ctx, cancel := context.WithCancel(t.Context())
			var stdout, stderr bytes.Buffer
			code := make(chan int)
			go func() { code <- run(ctx, []string{fifo, bad}, &stdout, &stderr) }()
			cancel()
			select {
			case c := <-code:
				require.Equal(t, program.ExitInconclusive, c)
			case <-time.After(time.Minute):
				t.Fatal("it reads on")
			}
			require.Regexp(t, `^`+fifo+`: unknown \(\d ops, [0-9.]+[mµn]?s\)\n$`, stdout.String())
			require.Contains(t, stderr.String(), "  interrupted before the search\n")
			require.Contains(t, stderr.String(), "checker: interrupted: 1 of 2 files were not judged, from "+bad+" on\n")
			if held == nil { // let the reader that was left behind end
				f, err := os.OpenFile(fifo, os.O_WRONLY|syscall.O_NONBLOCK, 0)
				for err != nil {
					time.Sleep(time.Millisecond)
					f, err = os.OpenFile(fifo, os.O_WRONLY|syscall.O_NONBLOCK, 0)
				}
				held = f
			}
			held.Close()
		})
	}
}

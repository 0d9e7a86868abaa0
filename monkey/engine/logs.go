// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/drumbeat-raft/drumbeat/monkey/exact"
	"github.com/drumbeat-raft/drumbeat/monkey/rundir"
)

// level is the level that was asked for; at least the one of any run.
func (l Look) level() (slog.Level, error) {
	if l.Log == "" {
		return slog.LevelInfo, nil
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(l.Log)); err != nil || level > slog.LevelInfo {
		return 0, fmt.Errorf("the log level %q is not known, expected debug or info", l.Log)
	}
	return level, nil
}

// apart is a handler that also writes records below the usual level, those apart
// from the execution: the same goes on whether they are written or not. The clock
// is read, and arguments are formatted, between Enabled and Handle, which come in
// pairs.
type apart struct {
	slog.Handler
	usual slog.Level
}

// newHandler is a handler for the logs of a run: what comes below the usual level
// is written if it was asked for.
func newHandler(w io.Writer, usual, asked slog.Level) slog.Handler {
	h := slog.NewTextHandler(w, &slog.HandlerOptions{Level: min(usual, asked)})
	return apart{h, usual}
}

// Enabled implements slog.Handler.
func (h apart) Enabled(ctx context.Context, level slog.Level) bool {
	on := h.Handler.Enabled(ctx, level)
	if on && level < h.usual {
		exact.Apart(true)
	}
	return on
}

// Handle implements slog.Handler.
func (h apart) Handle(ctx context.Context, r slog.Record) error {
	if r.Level < h.usual {
		defer exact.Apart(false)
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h apart) WithAttrs(attrs []slog.Attr) slog.Handler {
	return apart{h.Handler.WithAttrs(attrs), h.usual}
}

// WithGroup implements slog.Handler.
func (h apart) WithGroup(name string) slog.Handler { return apart{h.Handler.WithGroup(name), h.usual} }

// prime has slog, fmt and the names of protobuf's constants made that are made
// when they are first used, so that it does not depend on the level who uses them
// first.
func prime() {
	slog.New(slog.NewTextHandler(io.Discard, nil)).Info("first", "of", 1)
	protoregistry.GlobalFiles.RangeFiles(func(f protoreflect.FileDescriptor) bool {
		for i := range f.Enums().Len() {
			f.Enums().Get(i).Values().ByNumber(0)
		}
		return true
	})
}

// hostLogs are the logs of the hosts' own parts: agents and Drummer servers.
type hostLogs struct {
	dir   string
	level slog.Level
	files map[string]*os.File
}

// logger makes or continues the log of a host. It is called while hosts boot,
// one after the other. A log that can't be written is missed, not fatal.
func (l *hostLogs) logger(host string) *slog.Logger {
	if l.files == nil {
		l.files = map[string]*os.File{}
	}
	f := l.files[host]
	if f == nil {
		var err error
		f, err = os.Create(filepath.Join(l.dir, rundir.LogsDir, host+".log"))
		if err != nil {
			fmt.Fprintln(os.Stderr, "the log of a host is missing:", err)
			return slog.New(slog.DiscardHandler)
		}
		l.files[host] = f
	}
	return slog.New(newHandler(f, slog.LevelInfo, l.level))
}

func (l *hostLogs) close() {
	for _, f := range l.files {
		f.Close()
	}
}

// SPDX-License-Identifier: Apache-2.0

// Package dragonlog sends Dragonboat's logs to a slog.Logger.
//
// Dragonboat's logger is global to a process and can be set once, so only
// programs install it: Drumbeat's own, and those that embed a Drummer server or an
// agent. Libraries and tests don't.
package dragonlog

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"

	"github.com/lni/dragonboat/v3/logger"
)

// Install makes every Dragonboat package log to out, at the level that out's
// handler lets through and no more than least. With a nil onPanic, Panicf logs
// an error and panics; else onPanic is called in its place, with the name of the
// package that panics, and must not return: Dragonboat recovers from panics in some
// of its goroutines, which a program may not want. Install panics, as Dragonboat does, when a factory was
// installed before; call it first in main.
func Install(out *slog.Logger, least slog.Level, onPanic func(pkg, message string)) {
	logger.SetLoggerFactory(func(pkg string) logger.ILogger {
		b := &bridge{pkg: pkg, out: out.With("dragonboat", pkg), onPanic: onPanic}
		b.least.Store(int64(least))
		return b
	})
}

// bridge is one Dragonboat package's logger.
type bridge struct {
	pkg     string
	out     *slog.Logger
	least   atomic.Int64              // slog.Level
	onPanic func(pkg, message string) // nil: log and panic
}

var _ logger.ILogger = (*bridge)(nil)

// SetLevel implements logger.ILogger.
func (b *bridge) SetLevel(level logger.LogLevel) {
	switch level {
	case logger.DEBUG:
		b.least.Store(int64(slog.LevelDebug))
	case logger.INFO:
		b.least.Store(int64(slog.LevelInfo))
	case logger.WARNING:
		b.least.Store(int64(slog.LevelWarn))
	default:
		b.least.Store(int64(slog.LevelError))
	}
}

func (b *bridge) log(level slog.Level, format string, args []any) {
	if int64(level) < b.least.Load() || !b.out.Enabled(context.Background(), level) {
		return
	}
	b.out.Log(context.Background(), level, fmt.Sprintf(format, args...))
}

// Debugf implements logger.ILogger.
func (b *bridge) Debugf(format string, args ...any) { b.log(slog.LevelDebug, format, args) }

// Infof implements logger.ILogger.
func (b *bridge) Infof(format string, args ...any) { b.log(slog.LevelInfo, format, args) }

// Warningf implements logger.ILogger.
func (b *bridge) Warningf(format string, args ...any) { b.log(slog.LevelWarn, format, args) }

// Errorf implements logger.ILogger.
func (b *bridge) Errorf(format string, args ...any) { b.log(slog.LevelError, format, args) }

// Panicf implements logger.ILogger: Dragonboat relies on it not to return.
func (b *bridge) Panicf(format string, args ...any) {
	message := fmt.Sprintf(format, args...)
	if b.onPanic != nil {
		b.onPanic(b.pkg, message)
	}
	b.log(slog.LevelError, "%s", []any{message})
	panic(message)
}

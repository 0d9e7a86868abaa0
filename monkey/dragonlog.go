// SPDX-License-Identifier: Apache-2.0

package monkey

import (
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/lni/dragonboat/v3/logger"
)

// logDragonboat sends Dragonboat's warnings and errors to standard output,
// stamped with the run's own clock. It sets Dragonboat's one global logger, so
// only the child process calls it.
func logDragonboat() {
	logger.SetLoggerFactory(func(name string) logger.ILogger { return &dragonLog{name: name, level: logger.WARNING} })
	for _, name := range []string{"dragonboat", "raft", "rsm", "logdb", "transport", "grpc", "raftpb", "config", "settings", "server", "pebblekv", "raftdb", "registry", "utils", "order"} {
		logger.GetLogger(name).SetLevel(logger.WARNING)
	}
}

// dragonLog implements logger.ILogger.
type dragonLog struct {
	name  string
	level logger.LogLevel
}

func (l *dragonLog) SetLevel(level logger.LogLevel) { l.level = level }

func (l *dragonLog) Debugf(format string, args ...any) { l.print(logger.DEBUG, "DEBUG", format, args) }
func (l *dragonLog) Infof(format string, args ...any)  { l.print(logger.INFO, "INFO", format, args) }
func (l *dragonLog) Warningf(format string, args ...any) {
	l.print(logger.WARNING, "WARN", format, args)
}
func (l *dragonLog) Errorf(format string, args ...any) { l.print(logger.ERROR, "ERROR", format, args) }

// Panicf ends the process as a panic would. It does not panic: Dragonboat
// recovers from panics in some of its goroutines when its disk is not the
// operating system's (see monkey/sim, forDragonboat), and a panic in
// Dragonboat is a finding.
func (l *dragonLog) Panicf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "panic: %s: %s\n\n%s", l.name, fmt.Sprintf(format, args...), debug.Stack())
	os.Exit(2)
}

func (l *dragonLog) print(level logger.LogLevel, word, format string, args []any) {
	if level > l.level {
		return
	}
	fmt.Printf("%s %-5s %s: %s\n", time.Now().UTC().Format("15:04:05.000"), word, l.name, fmt.Sprintf(format, args...))
}

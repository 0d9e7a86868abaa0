// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"

	"github.com/drumbeat-raft/drumbeat/drummer/dragonlog"
)

// logDragonboat sends Dragonboat's warnings and errors to standard output,
// stamped with the run's own clock. It sets Dragonboat's one global logger, so
// only the child process calls it.
// What is below warnings is written if it was asked for, at that level.
func logDragonboat(asked slog.Level) {
	const usual = slog.LevelWarn
	if asked >= slog.LevelInfo {
		asked = usual
	}
	dragonlog.Install(slog.New(newHandler(os.Stdout, usual, asked)), asked, endProcess)
}

// endProcess ends the process as a panic would. It does not panic: Dragonboat
// recovers from panics in some of its goroutines when its disk is not the
// operating system's (see monkey/sim, forDragonboat), and a panic in
// Dragonboat is a finding.
func endProcess(pkg, message string) {
	fmt.Fprintf(os.Stderr, "panic: %s: %s\n\n%s", pkg, message, debug.Stack())
	os.Exit(2)
}

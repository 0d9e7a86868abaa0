// SPDX-License-Identifier: Apache-2.0

// Package program is what Drumbeat's daemons have in common: strict
// configuration files, logs, the rule about plain text, and an orderly end.
//
// It has nothing of what a daemon does.
package program

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"

	"go.yaml.in/yaml/v3"

	"github.com/drumbeat-raft/drumbeat/drummer/dragonlog"
)

// Exit codes of all Drumbeat programs.
const (
	ExitOK       = 0
	ExitUsage    = 64 // bad usage or invalid input
	ExitInternal = 70 // anything else that went wrong
)

// UsageError is a mistake in what the user wrote.
type UsageError struct{ Err error }

func (e UsageError) Error() string { return e.Err.Error() }

// Unwrap returns the mistake.
func (e UsageError) Unwrap() error { return e.Err }

// ExitCode is the exit code for what a program ended with.
func ExitCode(err error) int {
	var usage UsageError
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &usage):
		return ExitUsage
	default:
		return ExitInternal
	}
}

// yamlLine finds the line in the YAML library's errors.
var yamlLine = regexp.MustCompile(`(?m)^(?:yaml: )?\s*line (\d+): (.*)$`)

// Load reads a YAML file into a struct. Unknown fields are errors; each error
// names the file and the line.
func Load(path string, into any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return UsageError{fmt.Errorf("the configuration can't be read: %w", err)}
	}
	return Parse(path, data, into)
}

// Parse is Load for a file already read.
func Parse(path string, data []byte, into any) error {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	err := decoder.Decode(into)
	if err == nil && !errors.Is(decoder.Decode(&struct{}{}), io.EOF) {
		err = errors.New("there is more than one document")
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF):
		return UsageError{fmt.Errorf("%s: the file is empty", path)}
	}
	lines := yamlLine.FindAllStringSubmatch(err.Error(), -1)
	if lines == nil {
		return UsageError{fmt.Errorf("%s: %w", path, err)}
	}
	var text []string
	for _, line := range lines {
		text = append(text, fmt.Sprintf("%s:%s: %s", path, line[1], line[2]))
	}
	return UsageError{errors.New(strings.Join(text, "\n"))}
}

// CheckPlaintext refuses to listen beyond this machine without TLS unless both
// the configuration file and the command line say so.
func CheckPlaintext(fileAllows, flagAllows bool, addresses ...string) error {
	if fileAllows && flagAllows {
		return nil
	}
	for _, address := range addresses {
		if !loopback(address) {
			return UsageError{fmt.Errorf("%s is not a loopback address and there is no TLS; configure tls, or say both 'plaintext: true' in the file and --plaintext on the command line", address)}
		}
	}
	return nil
}

func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// Log makes the program's logger and sends Dragonboat's logs to it. Level is
// debug, info, warn or error; Dragonboat's own are shown from warnings up,
// unless the level is debug.
func Log(level string) (*slog.Logger, error) {
	var parsed slog.Level
	if level == "" {
		level = "info"
	}
	if err := parsed.UnmarshalText([]byte(level)); err != nil {
		return nil, UsageError{fmt.Errorf("log level %q is none of debug, info, warn, error", level)}
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: parsed}))
	least := slog.LevelWarn
	if parsed < slog.LevelInfo {
		least = parsed
	}
	dragonlog.Install(log, least, nil)
	return log, nil
}

// UntilSignal waits for an interrupt or a termination signal.
func UntilSignal() { _ = UntilSignalOr(nil) }

// UntilSignalOr is UntilSignal that also ends with what comes from failed.
func UntilSignalOr(failed <-chan error) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	select {
	case <-ctx.Done():
		return nil
	case err := <-failed:
		return err
	}
}

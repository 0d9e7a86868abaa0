// SPDX-License-Identifier: Apache-2.0

package overlay

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// toolchain is an installation of Go.
type toolchain struct {
	command string // the go command
	goroot  string
	version string // such as go1.26.8
}

// ErrNoToolchain reports that there is no go command on the PATH.
var ErrNoToolchain = errors.New("exact runs need a Go toolchain, to build the simulation with its overlay: there is no go command on the PATH")

// findToolchain asks the go command on the PATH what it is.
func findToolchain(ctx context.Context) (toolchain, error) {
	command, err := exec.LookPath("go")
	if err != nil {
		return toolchain{}, ErrNoToolchain
	}
	out, err := run(ctx, "", command, "env", "-json", "GOROOT", "GOVERSION")
	if err != nil {
		return toolchain{}, err
	}
	var env struct{ GOROOT, GOVERSION string }
	if err := json.Unmarshal(out, &env); err != nil {
		return toolchain{}, fmt.Errorf("read what `%s env` says of itself: %w", command, err)
	}
	// Experiments are part of a version: "go1.26.8 X:nosimd".
	return toolchain{command: command, goroot: env.GOROOT, version: strings.ReplaceAll(env.GOVERSION, " ", "-")}, nil
}

// run runs a command in a directory and returns its output. The error has what
// the command wrote to stderr.
func run(ctx context.Context, dir, command string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, command, args...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", strings.Join(append([]string{command}, args...), " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return out, nil
}

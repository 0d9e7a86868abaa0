// SPDX-License-Identifier: Apache-2.0

package overlay

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Build is a program to be built with the overlay, from the source that is in
// or below Dir, by the go command on the PATH.
type Build struct {
	// Package is the import path or the ./directory of the program, or of the
	// package whose test binary is wanted.
	Package string
	// Dir is where the go command runs. Default: the working directory.
	Dir string
	// Test builds the package's tests instead.
	Test bool
	// Flags go to the go command besides, such as -tags=monkey.
	Flags []string
	// Announce, unless nil, is told before something is built that takes a
	// while.
	Announce io.Writer
}

// Run builds the program and returns the path of its binary. Nothing is built
// when source, toolchain and edits are those of an earlier Run. The binary is
// named after its content and is never overwritten: processes may go on
// starting it while others build. Several processes may build at once.
func (b Build) Run(ctx context.Context) (binary string, err error) {
	tc, err := findToolchain(ctx)
	if err != nil {
		return "", err
	}
	cache, err := cacheFolder()
	if err != nil {
		return "", err
	}
	return b.run(ctx, tc, cache, edits)
}

func (b Build) run(ctx context.Context, tc toolchain, cache string, edits []Edit) (string, error) {
	file, err := tc.file(cache, edits)
	if err != nil {
		return "", err
	}
	dir, err := b.find(ctx, tc)
	if err != nil {
		return "", err
	}
	place := filepath.Join(cache, "bin", b.key(dir, file))
	if err := os.MkdirAll(place, 0o755); err != nil {
		return "", fmt.Errorf("make a place for the program with the overlay: %w", err)
	}
	unlock, err := lock(filepath.Join(place, "lock"))
	if err != nil {
		return "", fmt.Errorf("wait for another build of %s: %w", b.Package, err)
	}
	defer unlock()
	return b.build(ctx, tc, file, place)
}

// find returns the directory of the package's source.
func (b Build) find(ctx context.Context, tc toolchain) (string, error) {
	args := append([]string{"list", "-find", "-f", "{{.Dir}}"}, b.Flags...)
	out, err := run(ctx, b.Dir, tc.command, append(args, b.Package)...)
	if err != nil {
		return "", fmt.Errorf("exact runs build %s from source with the overlay, and there is none at hand (run in a checkout, or in a module that requires it): %w", b.Package, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// key names what is built: the same for all states of its source.
func (b Build) key(dir, overlay string) string {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %v %q", dir, overlay, b.Test, b.Flags)
	return filepath.Base(dir) + "-" + hex.EncodeToString(h.Sum(nil)[:8])
}

// target is the name under which the go command finds its last result again,
// so that it does not link anew what is up to date.
const target = "latest"

// build has the go command bring the target up to date, and gives the result a
// name of its own.
func (b Build) build(ctx context.Context, tc toolchain, overlay, place string) (string, error) {
	out := filepath.Join(place, target)
	if _, err := os.Stat(out); errors.Is(err, fs.ErrNotExist) && b.Announce != nil {
		fmt.Fprintf(b.Announce, "building %s with the overlay, once: one to three minutes, as the standard library is compiled anew…\n", b.Package)
	}
	args := []string{"build"}
	if b.Test {
		args = []string{"test", "-c"}
	}
	args = append(args, "-overlay", overlay, "-o", out)
	if _, err := run(ctx, b.Dir, tc.command, append(append(args, b.Flags...), b.Package)...); err != nil {
		return "", fmt.Errorf("build %s with the overlay: %w", b.Package, err)
	}
	sum, err := fileDigest(out)
	if err != nil {
		return "", fmt.Errorf("read the program with the overlay: %w", err)
	}
	named := filepath.Join(place, filepath.Base(b.Package)+"-"+sum)
	if err := keep(out, named); err != nil {
		return "", fmt.Errorf("keep the program with the overlay: %w", err)
	}
	return named, prune(place, named)
}

// keep copies a binary in one step, unless it is there.
func keep(from, to string) error {
	now := time.Now()
	if os.Chtimes(to, now, now) == nil { // in use, see prune
		return nil
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	tmp := to + ".new"
	out, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err := errors.Join(err, out.Close()); err != nil {
		return err
	}
	return os.Rename(tmp, to)
}

// unusedFor is how long a binary that no Run returned any more is kept.
const unusedFor = 7 * 24 * time.Hour

// prune removes binaries of earlier states of the source.
func prune(place, current string) error {
	entries, err := os.ReadDir(place)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := filepath.Join(place, e.Name())
		info, err := e.Info()
		if err != nil || name == current || e.Name() == target || e.Name() == "lock" || time.Since(info.ModTime()) < unusedFor {
			continue
		}
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	return nil
}

func fileDigest(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}

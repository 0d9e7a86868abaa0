// SPDX-License-Identifier: Apache-2.0

package releases

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// dragonboat is the module that is replaced.
const dragonboat = "github.com/lni/dragonboat/v3"

// edit replaces a text that a file of Dragonboat has exactly once. Edits let
// today's source compile, and change nothing that runs.
type edit struct{ file, old, new string }

// Release is an older release of Dragonboat.
type Release struct {
	Version string
	edits   []edit
}

var (
	// ErrAborted is newer; nothing returns it in older releases.
	errAborted = edit{
		"request.go",
		"	ErrRejected = errors.New(\"request rejected\")\n",
		"	ErrRejected = errors.New(\"request rejected\")\n	ErrAborted = errors.New(\"request aborted\")\n",
	}
	// ILogDB.Close has a result since v3.3.7, that of the monkey's LogDB in memory
	// too.
	closeOfILogDB = edit{"raftio/logdb.go", "	Close()\n", "	Close() error\n"}
	closeOfLogDB  = edit{
		"internal/logdb/sharded.go",
		"func (s *ShardedDB) Close() {\n	s.stopper.Stop()\n",
		"func (s *ShardedDB) Close() error {\n	s.close()\n	return nil\n}\n\nfunc (s *ShardedDB) close() {\n	s.stopper.Stop()\n",
	}
)

// All are the releases that were tried, oldest first.
var All = []Release{
	{"v3.3.0", []edit{errAborted, closeOfILogDB, closeOfLogDB}},
	{"v3.3.1", []edit{errAborted, closeOfILogDB, closeOfLogDB}},
	{"v3.3.2", []edit{errAborted, closeOfILogDB, closeOfLogDB}},
	{"v3.3.4", []edit{errAborted, closeOfILogDB, closeOfLogDB}},
	{"v3.3.5", []edit{errAborted, closeOfILogDB, closeOfLogDB}},
	{"v3.3.6", []edit{closeOfILogDB, closeOfLogDB}},
	{"v3.3.7", nil},
}

// Build builds a program of the module whose go.mod is in root, with this release
// in place of the required one, and returns the binary's path. All that it makes
// is in dir, which is empty. The go command on the PATH may have to download the
// release.
func (r Release) Build(ctx context.Context, root, dir, program string) (binary string, err error) {
	source := filepath.Join(dir, "dragonboat")
	if err := r.copyTo(ctx, root, source); err != nil {
		return "", fmt.Errorf("release %s of Dragonboat: %w", r.Version, err)
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		data, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return "", err
		}
	}
	modfile, binary := filepath.Join(dir, "go.mod"), filepath.Join(dir, filepath.Base(program))
	if _, err := command(ctx, root, "mod", "edit", "-replace="+dragonboat+"="+source, modfile); err != nil {
		return "", err
	}
	if _, err := command(ctx, root, "build", "-mod=mod", "-modfile="+modfile, "-o", binary, program); err != nil {
		return "", fmt.Errorf("with Dragonboat %s: %w", r.Version, err)
	}
	return binary, nil
}

// copyTo copies the release's source to a folder, and edits it there: the go
// command takes no overlay of what it has downloaded.
func (r Release) copyTo(ctx context.Context, root, to string) error {
	out, err := command(ctx, root, "mod", "download", "-json", dragonboat+"@"+r.Version)
	if err != nil {
		return err
	}
	var downloaded struct{ Dir string }
	if err := json.Unmarshal(out, &downloaded); err != nil {
		return fmt.Errorf("go mod download: %w", err)
	}
	if err := os.CopyFS(to, os.DirFS(downloaded.Dir)); err != nil {
		return err
	}
	for _, e := range r.edits {
		if err := e.apply(to); err != nil {
			return err
		}
	}
	return nil
}

func (e edit) apply(dir string) error {
	path := filepath.Join(dir, filepath.FromSlash(e.file))
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if n := strings.Count(string(text), e.old); n != 1 {
		return fmt.Errorf("%s has the text to edit %d times, expected once: %q", e.file, n, e.old)
	}
	// The copy is as read-only as what was downloaded.
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.WriteFile(path, []byte(strings.Replace(string(text), e.old, e.new, 1)), 0o644)
}

// command runs the go command and returns what it prints.
func command(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		detail := ""
		if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
			detail = ": " + strings.TrimSpace(string(exit.Stderr))
		}
		return nil, fmt.Errorf("go %s: %w%s", strings.Join(args, " "), err, detail)
	}
	return out, nil
}

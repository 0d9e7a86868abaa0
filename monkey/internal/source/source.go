// SPDX-License-Identifier: Apache-2.0

// Package source makes changed copies of source code to build from: an older
// release of a module, or one with planted bugs. It changes nothing in place.
package source

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

// Edit replaces a text that a file has exactly once.
type Edit struct {
	File     string // its path in the module, with slashes
	Old, New string
}

// Apply returns the edited text of the file.
func (e Edit) Apply(text string) (string, error) {
	if n := strings.Count(text, e.Old); n != 1 {
		return "", fmt.Errorf("%s has the text to edit %d times, expected once: %q", e.File, n, e.Old)
	}
	return strings.Replace(text, e.Old, e.New, 1), nil
}

// Edited returns the text of each file that the edits change, by its path in the
// module, whose source is in dir. Edits of one file are made one after the other.
func Edited(dir string, edits []Edit) (map[string]string, error) {
	texts := map[string]string{}
	for _, e := range edits {
		text, ok := texts[e.File]
		if !ok {
			data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(e.File)))
			if err != nil {
				return nil, err
			}
			text = string(data)
		}
		text, err := e.Apply(text)
		if err != nil {
			return nil, err
		}
		texts[e.File] = text
	}
	return texts, nil
}

// CopyModule copies a version of a module to a folder that does not exist, and
// edits it there: the go command takes no overlay of what it has downloaded. It
// runs in root, a folder of the main module.
func CopyModule(ctx context.Context, root, module, version, to string, edits []Edit) error {
	from, err := ModuleDir(ctx, root, module, version)
	if err != nil {
		return err
	}
	texts, err := Edited(from, edits)
	if err != nil {
		return err
	}
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		return err
	}
	for file, text := range texts {
		if err := replace(filepath.Join(to, filepath.FromSlash(file)), text); err != nil {
			return err
		}
	}
	return nil
}

// ModuleDir is where the source of a version of a module is, which is downloaded
// if need be.
func ModuleDir(ctx context.Context, root, module, version string) (string, error) {
	out, err := Go(ctx, root, "mod", "download", "-json", module+"@"+version)
	if err != nil {
		return "", err
	}
	var downloaded struct{ Dir string }
	if err := json.Unmarshal(out, &downloaded); err != nil {
		return "", fmt.Errorf("go mod download: %w", err)
	}
	return downloaded.Dir, nil
}

// replace writes a file anew. The copy is as read-only as what was downloaded.
func replace(path, text string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.WriteFile(path, []byte(text), 0o644)
}

// Overlay writes the files of the main module that edits change to dir, whatever is
// there, and returns the path of what the go command takes with -overlay. root is
// where the module is. The overlay does what those of others do, too, such as that
// of exact runs.
func Overlay(root, dir string, edits []Edit, others ...string) (string, error) {
	texts, err := Edited(root, edits)
	if err != nil {
		return "", err
	}
	replace := map[string]string{}
	for _, other := range others {
		data, err := os.ReadFile(other)
		if err != nil {
			return "", err
		}
		if err := json.Unmarshal(data, &struct{ Replace *map[string]string }{&replace}); err != nil {
			return "", fmt.Errorf("%s is no overlay: %w", other, err)
		}
	}
	for file, text := range texts {
		to := filepath.Join(dir, strings.ReplaceAll(file, "/", "_"))
		if err := os.WriteFile(to, []byte(text), 0o644); err != nil {
			return "", err
		}
		replace[filepath.Join(root, filepath.FromSlash(file))] = to
	}
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, data, 0o644)
}

// BuildWith builds a program of the main module, which is in root, with the source in
// the folder by in place of another module, and returns the binary's path. All that
// it makes is in dir. flags are more of the go command's.
func BuildWith(ctx context.Context, root, dir, program, module, by string, flags ...string) (string, error) {
	modfile, err := modFile(ctx, root, dir, module, by)
	if err != nil {
		return "", err
	}
	binary := filepath.Join(dir, filepath.Base(program))
	args := append([]string{"build", "-mod=mod", "-modfile=" + modfile, "-o", binary}, flags...)
	_, err = Go(ctx, root, append(args, program)...)
	return binary, err
}

// modFile writes a copy of root's go.mod, with its go.sum, to dir, in which a module
// is replaced by the source in a folder. The go command takes it with -modfile.
func modFile(ctx context.Context, root, dir, module, by string) (string, error) {
	for _, name := range []string{"go.mod", "go.sum"} {
		data, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return "", err
		}
	}
	modfile := filepath.Join(dir, "go.mod")
	_, err := Go(ctx, root, "mod", "edit", "-replace="+module+"="+by, modfile)
	return modfile, err
}

// Go runs the go command in a folder and returns what it prints. The error has what
// it complains of.
func Go(ctx context.Context, dir string, args ...string) ([]byte, error) {
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

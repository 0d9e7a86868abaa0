// SPDX-License-Identifier: Apache-2.0

package overlay

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// goroot has the files that the overlay adds, where they go below GOROOT.
//
//go:embed _goroot/runtime/drumbeat_*.go
var goroot embed.FS

const (
	embedded = "_goroot"
	jsonFile = "overlay.json"
	cacheDir = "drumbeat"
)

// File returns the path of the overlay for the go command on the PATH, for
// `go build -overlay`. It is made when it is first asked for and kept in the
// user's cache directory, by the toolchain's version and by the edits; several
// processes may ask at once.
func File(ctx context.Context) (string, error) {
	tc, err := findToolchain(ctx)
	if err != nil {
		return "", err
	}
	cache, err := cacheFolder()
	if err != nil {
		return "", err
	}
	return tc.file(cache, edits)
}

// cacheFolder is where overlays and the programs built with them are kept.
func cacheFolder() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find a place for the overlay of the Go toolchain (set XDG_CACHE_HOME or HOME): %w", err)
	}
	return filepath.Join(dir, cacheDir), nil
}

// file returns the overlay in cache for these edits, and makes it if need be.
func (t toolchain) file(cache string, edits []Edit) (string, error) {
	files, err := t.edited(edits)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "overlay", t.version+"-"+digest(files))
	done := filepath.Join(dir, jsonFile)
	if _, err := os.Stat(done); err == nil {
		return done, nil
	}
	if err := t.write(dir, files); err != nil {
		return "", fmt.Errorf("write the overlay of the Go toolchain: %w", err)
	}
	return done, nil
}

// edited returns the files of the overlay, by their paths below GOROOT/src.
func (t toolchain) edited(edits []Edit) (map[string]string, error) {
	files := map[string]string{}
	for i, e := range edits {
		text, ok := files[e.File]
		if !ok {
			b, err := os.ReadFile(t.source(e.File))
			if err != nil {
				return nil, fmt.Errorf("read the Go toolchain's own source, of which the overlay is made: %w", err)
			}
			text = string(b)
		}
		if n := strings.Count(text, e.Old); n != 1 {
			return nil, &MisfitError{Version: t.version, File: t.source(e.File), Number: i + 1, Edit: e, Found: n}
		}
		files[e.File] = strings.Replace(text, e.Old, e.New, 1)
	}
	return files, fs.WalkDir(goroot, embedded, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := goroot.ReadFile(name)
		files[strings.TrimPrefix(name, embedded+"/")] = string(b)
		return err
	})
}

// MisfitError reports that an edit does not fit the toolchain.
type MisfitError struct {
	Version string // of Go
	File    string // whole path
	Number  int    // of the edit, from 1
	Edit    Edit
	Found   int // how often the text is in the file
}

func (e *MisfitError) Error() string {
	how := "is not in it"
	if e.Found > 1 {
		how = fmt.Sprintf("is in it %d times", e.Found)
	}
	line, _, _ := strings.Cut(strings.TrimSpace(e.Edit.Old), "\n")
	return fmt.Sprintf("exact runs do not support %s: edit %d of the overlay does not fit %s: the text that begins with %q %s (the edit is for: %s); use a version of Go that is known to work, %s",
		e.Version, e.Number, e.File, line, how, e.Edit.Why, KnownVersions)
}

// KnownVersions are the versions of Go with which the edits were tried.
const KnownVersions = "go1.26"

// digest names the content of the files.
func digest(files map[string]string) string {
	h := sha256.New()
	for _, name := range sortedNames(files) {
		fmt.Fprintf(h, "%q %q\n", name, files[name])
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

func sortedNames(files map[string]string) []string {
	var names []string
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// write makes the directory of an overlay in one step: it is there whole or not
// at all, whoever else makes it at the same time.
func (t toolchain) write(dir string, files map[string]string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), ".new-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp) // what is left of it
	if err := os.Chmod(tmp, 0o755); err != nil {
		return err
	}
	replace := map[string]string{}
	for name, text := range files {
		flat := strings.ReplaceAll(name, "/", "_")
		if err := os.WriteFile(filepath.Join(tmp, flat), []byte(text), 0o644); err != nil {
			return err
		}
		replace[t.source(name)] = filepath.Join(dir, flat)
	}
	b, err := json.MarshalIndent(map[string]any{"Replace": replace}, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(tmp, jsonFile), b, 0o644); err != nil {
		return err
	}
	err = os.Rename(tmp, dir)
	if errors.Is(err, fs.ErrExist) { // another process was quicker
		return nil
	}
	return err
}

// source is the path of a file of the standard library.
func (t toolchain) source(name string) string {
	return filepath.Join(t.goroot, "src", filepath.FromSlash(path.Clean(name)))
}

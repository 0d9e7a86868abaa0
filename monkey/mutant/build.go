// SPDX-License-Identifier: Apache-2.0

package mutant

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/drumbeat-raft/drumbeat/monkey/exact/overlay"
	"github.com/drumbeat-raft/drumbeat/monkey/internal/source"
)

// The variables that a program with mutants reads when it starts.
const (
	// Variable names the mutant that is on; empty: none.
	Variable = "DRUMBEAT_MUTANT"
	// StrikesVariable is the path of a file to which a byte is added at the first,
	// second, fourth, eighth … strike; see Strikes.
	StrikesVariable = "DRUMBEAT_MUTANT_STRIKES"
)

// Strikes reads how often a mutant struck, at least: half to all of it.
func Strikes(path string) (uint64, error) {
	data, err := os.ReadFile(path)
	if os.IsNotExist(err) || err == nil && len(data) == 0 {
		return 0, nil
	}
	return 1 << max(len(data)-1, 0), err
}

const (
	dragonboat = "github.com/lni/dragonboat/v3"
	version    = "v3.3.8"
	switches   = dragonboat + "/mutants"
)

//go:embed switches.go.txt
var switchesSource string

// Build builds a program of the module whose go.mod is in root, with all mutants in
// it, and returns the binary's path. Its runs can be exact. All that it makes is in
// dir, which is empty.
func Build(ctx context.Context, root, dir, program string) (binary string, err error) {
	copied := filepath.Join(dir, "dragonboat")
	edits, own := edits()
	if err := source.CopyModule(ctx, root, dragonboat, version, copied, edits); err != nil {
		return "", fmt.Errorf("mutants of Dragonboat %s: %w", version, err)
	}
	if err := os.Mkdir(filepath.Join(copied, "mutants"), 0o755); err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(copied, "mutants", "switches.go"), []byte(switchesSource), 0o644); err != nil {
		return "", err
	}
	exactness, err := overlay.File(ctx)
	if err != nil {
		return "", err
	}
	file, err := source.Overlay(root, dir, own, exactness)
	if err != nil {
		return "", err
	}
	if binary, err = source.BuildWith(ctx, root, dir, program, dragonboat, copied, "-overlay="+file); err != nil {
		return "", fmt.Errorf("with mutants: %w", err)
	}
	return binary, nil
}

// edits are those of Dragonboat, and those of the main module.
func edits() (dragonboats, own []source.Edit) {
	for _, m := range All() {
		to := &own
		if m.Place == InDragonboat {
			to = &dragonboats
		}
		*to = append(*to, m.switched())
	}
	return withImport(dragonboats), withImport(own)
}

// withImport adds to the edits one of each of their files, which imports the switches.
func withImport(edits []source.Edit) []source.Edit {
	seen := map[string]bool{}
	for _, e := range slices.Clone(edits) {
		if !seen[e.File] {
			seen[e.File] = true
			name := packageOf(e.File)
			edits = append(edits, source.Edit{File: e.File, Old: "\npackage " + name + "\n", New: "\npackage " + name + "\n\nimport mutants \"" + switches + "\"\n"})
		}
	}
	return edits
}

// packageOf is the name of a file's package: that of its folder, but for the top one.
func packageOf(file string) string {
	if dir, _, in := strings.Cut(file, "/"); !in || dir == "" {
		return "dragonboat"
	}
	return filepath.Base(filepath.Dir(filepath.FromSlash(file)))
}

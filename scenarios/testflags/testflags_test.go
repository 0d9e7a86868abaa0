// SPDX-License-Identifier: Apache-2.0

package testflags

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// file is what a package with tests needs, so that its test binary knows the
// flags.
const file = "monkeyflags_test.go"

func TestEveryPackageWithTestsKnowsTheFlags(t *testing.T) {
	root := filepath.Join("..", "..")
	var missing []string
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != root || d.Name() == "runs" || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if dir := filepath.Dir(path); strings.HasSuffix(path, "_test.go") && dir != filepath.Join(root, "scenarios", "testflags") {
			if _, err := os.Stat(filepath.Join(dir, file)); err != nil {
				missing = append(missing, dir)
			}
		}
		return nil
	}))
	require.Empty(t, missing, "these need a %s like any other one, or 'go test -tags monkey ./... -args -monkey.seed=1' fails in them", file)
}

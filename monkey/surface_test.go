// SPDX-License-Identifier: Apache-2.0

package monkey_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// maxNames bounds what is exported here.
const maxNames = 40

// TestTheSurfaceIsSmallAndUsed: few names, each documented, and each used as a user
// would in a test, an example or a foreign module.
func TestTheSurfaceIsSmallAndUsed(t *testing.T) {
	fset := token.NewFileSet()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	var source []string
	for _, file := range files {
		if !strings.HasSuffix(file, "_test.go") {
			source = append(source, file)
		}
	}
	names := exported(t, fset, source)
	require.LessOrEqual(t, len(names), maxNames, "%v", names)
	used := usage(t)
	for name, text := range names {
		require.NotEmpty(t, text, "%s has no documentation", name)
		_, member, isMember := strings.Cut(name, ".")
		if !isMember {
			member = name
		}
		// Nobody but Config names the types that stand for any of theirs.
		require.True(t, strings.HasPrefix(name, "Any") || strings.Contains(used, "."+member), "nothing uses %s", name)
	}
}

// exported returns the package's exported names, and their documentation.
func exported(t *testing.T, fset *token.FileSet, files []string) map[string]string {
	t.Helper()
	var parsed []*ast.File
	for _, file := range files {
		f, err := parser.ParseFile(fset, file, nil, parser.ParseComments)
		require.NoError(t, err)
		parsed = append(parsed, f)
	}
	pkg, err := doc.NewFromFiles(fset, parsed, "github.com/drumbeat-raft/drumbeat/monkey")
	require.NoError(t, err)
	names := map[string]string{}
	for _, f := range pkg.Funcs {
		names[f.Name] = f.Doc
	}
	for _, v := range append(pkg.Vars, pkg.Consts...) {
		for _, name := range v.Names {
			if token.IsExported(name) {
				names[name] = v.Doc
			}
		}
	}
	for _, typ := range pkg.Types {
		names[typ.Name] = typ.Doc
		for _, f := range typ.Funcs {
			names[f.Name] = f.Doc
		}
		for _, m := range typ.Methods {
			names[typ.Name+"."+m.Name] = m.Doc
		}
	}
	return names
}

// usage is what uses the package as users do.
func usage(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, pattern := range []string{"*_test.go", "../testdata/foreign/*/*.go", "../docs/examples/*/*.go", "../docs/testing-your-state-machine.md"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			all.Write(text)
		}
	}
	return all.String()
}

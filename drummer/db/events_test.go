// SPDX-License-Identifier: Apache-2.0

package db

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// Who follows the event log matches kinds by the constants of package drummerpb,
// so Apply must log no other ones, and each of them must be documented.
func TestEventsAreOfListedKinds(t *testing.T) {
	constants := eventConstants(t)
	listed := map[string]bool{}
	for _, kind := range pb.EventKinds {
		require.NotEmpty(t, kind.Doc, kind.Name)
		require.False(t, listed[kind.Name], "%s is listed twice", kind.Name)
		listed[kind.Name] = true
	}
	require.ElementsMatch(t, slices.Collect(maps.Values(constants)), slices.Collect(maps.Keys(listed)))

	used := map[string]bool{}
	for _, file := range sources(t, ".") {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				if constants[n.Sel.Name] != "" {
					used[n.Sel.Name] = true
				}
			case *ast.KeyValueExpr:
				if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Kind" {
					literal, is := n.Value.(*ast.BasicLit)
					require.False(t, is, "the kind of an event is %v, not a constant of drummerpb", literal)
				}
			case *ast.CallExpr:
				for _, argument := range n.Args {
					literal, is := argument.(*ast.BasicLit)
					require.False(t, is && takesKind(n.Fun) && literal.Kind == token.STRING && literal.Pos() < n.Args[len(n.Args)-1].Pos(),
						"a kind of event is %v, not a constant of drummerpb", literal)
				}
			}
			return true
		})
	}
	require.ElementsMatch(t, slices.Collect(maps.Keys(constants)), slices.Collect(maps.Keys(used)), "every kind is logged")
}

// takesKind reports whether a function is one that is given a kind of event, before
// its last argument.
func takesKind(function ast.Expr) bool {
	switch f := function.(type) {
	case *ast.Ident:
		return f.Name == "operationEvent"
	case *ast.SelectorExpr:
		return f.Sel.Name == "closeOperation"
	}
	return false
}

// eventConstants are the constants Event… of package drummerpb, by name.
func eventConstants(t *testing.T) map[string]string {
	constants := map[string]string{}
	for _, file := range sources(t, "../drummerpb") {
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if ok && len(spec.Names) == 1 && len(spec.Values) == 1 && strings.HasPrefix(spec.Names[0].Name, "Event") {
				if value, ok := spec.Values[0].(*ast.BasicLit); ok {
					constants[spec.Names[0].Name] = strings.Trim(value.Value, `"`)
				}
			}
			return true
		})
	}
	require.NotEmpty(t, constants)
	return constants
}

// sources parses the Go files of a folder, but for tests and generated code.
func sources(t *testing.T, dir string) []*ast.File {
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var files []*ast.File
	for _, entry := range entries {
		name := entry.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || strings.HasSuffix(name, ".pb.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, name), nil, 0)
		require.NoError(t, err)
		files = append(files, file)
	}
	return files
}

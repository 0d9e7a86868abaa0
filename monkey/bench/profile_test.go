// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// waitHere waits where a profile can see it, below a function that is inlined.
//
//go:noinline
func waitHere(entered chan<- struct{}, leave <-chan struct{}) {
	entered <- struct{}{}
	inlined(leave)
}

func inlined(leave <-chan struct{}) { <-leave }

// A profile of goroutines has the same format, and its samples are known.
func TestReadProfileOfThisProcess(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	for range 3 {
		go waitHere(entered, leave)
		<-entered
	}
	file := filepath.Join(t.TempDir(), "profile")
	f, err := os.Create(file)
	require.NoError(t, err)
	require.NoError(t, pprof.Lookup("goroutine").WriteTo(f, 0))
	require.NoError(t, f.Close())
	close(leave)
	p, err := ReadProfile(file)
	require.NoError(t, err)
	at := slices.IndexFunc(p.Samples, func(s Sample) bool {
		return slices.ContainsFunc(s.Functions, func(f string) bool { return strings.HasSuffix(f, "bench.waitHere") })
	})
	require.GreaterOrEqual(t, at, 0)
	s := p.Samples[at]
	require.EqualValues(t, 3, s.Weight)
	waits := slices.IndexFunc(s.Functions, func(f string) bool { return strings.HasSuffix(f, "bench.inlined") })
	require.Positive(t, waits, "inlined calls are there, and the innermost is first: %v", s.Functions)
	require.Contains(t, s.Functions[waits+1], "bench.waitHere")
}

func TestReadProfileRefusesOtherFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "profile")
	require.NoError(t, os.WriteFile(file, []byte("no profile"), 0o644))
	_, err := ReadProfile(file)
	require.ErrorContains(t, err, file)
	_, err = ReadProfile(file + "-not-there")
	require.ErrorIs(t, err, os.ErrNotExist)
	for _, b := range []string{"\x12", "\x12\x7f", "\x12\x00", "\x08"} {
		_, err := parseProfile([]byte(b))
		require.Error(t, err, "%q", b)
	}
}

func TestSharesAreInclusive(t *testing.T) {
	p := Profile{Samples: []Sample{
		{Functions: []string{"runtime.mallocgc", "google.golang.org/grpc.(*Server).serve"}, Weight: 1},
		{Functions: []string{"google.golang.org/grpc/internal/transport.x", "google.golang.org/grpc.y"}, Weight: 2},
		{Functions: []string{"main.main"}, Weight: 1},
	}}
	got := map[string]float64{}
	shares, other := p.shares()
	for i, share := range shares {
		got[areas[i].name] = share
	}
	require.Equal(t, 0.25, other)
	require.Equal(t, map[string]float64{goItself: 0.25}, p.others())
	require.Equal(t, 0.75, got["gRPC"], "each sample counts once")
	require.Equal(t, 0.25, got["allocation"])
	require.Zero(t, got["Pebble"])
}

func TestPackageOfAFunction(t *testing.T) {
	for function, want := range map[string]string{
		"runtime.mallocgc": "runtime",
		"a.b/c/d.(*T).f":   "a.b/c/d",
		"a.b/c/d.f[go.shape.struct { a.b/x.Y; z int }]":        "a.b/c/d",
		"google.golang.org/grpc/internal/transport.newX.func1": "google.golang.org/grpc/internal/transport",
	} {
		require.Equal(t, want, packageOf(function))
	}
}

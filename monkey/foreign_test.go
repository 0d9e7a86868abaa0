// SPDX-License-Identifier: Apache-2.0

//go:build monkey

package monkey_test

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// foreign is a module outside of this tree that has only what is published.
type foreign struct {
	t   *testing.T
	dir string
}

// newForeign makes a module of testdata/foreign. That requires this checkout, by a
// replace directive, and nothing else that a user would not have to say.
func newForeign(t *testing.T, name string) *foreign {
	t.Helper()
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	m := &foreign{t, filepath.Join(t.TempDir(), name)}
	require.NoError(t, os.CopyFS(m.dir, os.DirFS(filepath.Join(root, "testdata/foreign", name))))
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(m.dir, "go.sum"), sum, 0o644))
	m.run("go mod init example.com/" + name)
	m.run("go mod edit -require=github.com/lni/dragonboat/v3@v3.3.8 -require=github.com/drumbeat-raft/drumbeat@v0.0.0" +
		" -replace=github.com/drumbeat-raft/drumbeat=" + root)
	return m
}

// shell runs a command line in the module, and returns what it prints.
func (m *foreign) shell(line string) (string, error) {
	cmd := exec.CommandContext(m.t.Context(), "sh", "-c", line)
	cmd.Dir = m.dir
	cmd.Env = append(os.Environ(), "GOFLAGS="+os.Getenv("GOFLAGS")+" -mod=mod", "TMPDIR="+m.t.TempDir())
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// run runs a command line that has to succeed.
func (m *foreign) run(line string) string {
	m.t.Helper()
	out, err := m.shell(line)
	require.NoError(m.t, err, "%s\n%s", line, out)
	return out
}

// mend puts the files of mended into the module.
func (m *foreign) mend() {
	m.t.Helper()
	mended, err := filepath.Glob(filepath.Join(m.dir, "mended", "*.go"))
	require.NoError(m.t, err)
	require.NotEmpty(m.t, mended)
	for _, file := range mended {
		require.NoError(m.t, os.Rename(file, filepath.Join(m.dir, filepath.Base(file))))
	}
}

var reproduceLine = regexp.MustCompile(`Reproduce\n\s+(go test .*)\n`)

// smallestLine is the line that runs the smallest scenario that a test found.
var smallestLine = regexp.MustCompile(`(?s)the smallest scenario that was found\s+(\w+).*faults +\d+ +[01]\n.*Reproduce\n\s+(go test [^\n]* -monkey.scenario='[^\n]*)\n`)

// requireShrunk has an exact run that fails shrunk, to one fault at most; the line that
// is printed for the smallest scenario shows the same violation.
func (m *foreign) requireShrunk() {
	m.t.Helper()
	out, err := m.shell(exactTest + " -short . -monkey.shrink=1m")
	require.Error(m.t, err, out)
	smallest := smallestLine.FindStringSubmatch(out)
	require.NotNil(m.t, smallest, out)
	again, err := m.shell(smallest[2])
	require.Error(m.t, err, "%s\n%s", smallest[2], again)
	require.Contains(m.t, again, "What is wrong: "+smallest[1]+" (violation)", again)
}

// requirePaused has a program's hosts stand still, in an exact run that passes or finds
// a stale read.
func (m *foreign) requirePaused(passes bool) {
	m.t.Helper()
	out, err := m.shell(exactTest + " -v . -monkey.seeds=1 -monkey.scenario=pause.yaml")
	if passes {
		require.NoError(m.t, err, out)
		return
	}
	require.Error(m.t, err, out)
	require.Contains(m.t, out, "What is wrong: linearizability (violation)", out)
	require.Regexp(m.t, `goroutines held`, out)
}

// exactTest begins a line for tests whose runs are exact.
const exactTest = `go test -overlay "$(go run github.com/drumbeat-raft/drumbeat/cmd/monkey overlay)"`

// quickForeign are the modules that -short tests, too.
var quickForeign = map[string]bool{"counter": true, "service": true}

// foreignSeeds is how many seeds the mended state machines have to pass:
// $DRUMBEAT_SEEDS, or 2.
func foreignSeeds() string { return cmp.Or(os.Getenv("DRUMBEAT_SEEDS"), "2") }

// TestForeignModules are what a user has: a bug is found by go test within a
// minute, the line that is printed finds it again, and the mended state machine
// passes.
func TestForeignModules(t *testing.T) {
	for name, found := range map[string]string{
		"counter": "What is wrong: linearizability (violation)",
		"bank":    "What is wrong: invariants (violation)",
		"index":   "(violation)",
		"service": "What is wrong: linearizability (violation)",
	} {
		t.Run(name, func(t *testing.T) {
			more := ""
			if testing.Short() {
				if more = "-short"; !quickForeign[name] {
					t.Skip("with -short two others are enough")
				}
			}
			m := newForeign(t, name)
			m.run("go vet . && go test -run NONE .") // builds
			began := time.Now()
			out, err := m.shell("go test .")
			t.Logf("found in %s", time.Since(began))
			require.Error(t, err, out)
			require.Contains(t, out, "VIOLATION", out)
			require.Contains(t, out, found, out)
			line := reproduceLine.FindStringSubmatch(out)
			require.NotNil(t, line, out)
			again, err := m.shell(line[1])
			require.Error(t, err, "%s\n%s", line[1], again)
			require.Contains(t, again, "VIOLATION", again)
			if name == "counter" {
				m.requireShrunk()
			}
			if name == "service" {
				m.requirePaused(false)
			}
			m.mend()
			if name == "service" {
				m.requirePaused(true)
			}
			passed := strings.Count(m.run("go test -v -timeout 2h -monkey.seeds="+foreignSeeds()+" "+more+" ."), ": pass, ")
			require.Equal(t, foreignSeeds(), strconv.Itoa(passed))
		})
	}
}

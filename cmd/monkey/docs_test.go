// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/cmd/internal/program"
	"github.com/drumbeat-raft/drumbeat/monkey/harness"
)

var (
	// documentedRun finds a command line that runs scenarios, as a reader would
	// copy it out of a page.
	documentedRun = regexp.MustCompile(`(?m)^(?:\$ |reproduce: )?(?:go run \./cmd/)?monkey ((?:run|soak) .*)$`)
	// documentedFile finds a scenario file that a page shows.
	documentedFile = regexp.MustCompile("(?ms)^```yaml\n((?:#[^\n]*\n)?name: ([a-z-]+)\n.*?)^```$")
)

// What a reader copies out of the documentation is taken: the flags are known,
// and the scenarios load with all that the line overrides.
func TestDocumentedCommandLinesLoad(t *testing.T) {
	t.Chdir("../..")
	pages, err := filepath.Glob("docs/*.md")
	require.NoError(t, err)
	shown, found := t.TempDir(), 0
	for _, page := range append(pages, "README.md") {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, f := range documentedFile.FindAllStringSubmatch(string(text), -1) {
			require.NoError(t, os.WriteFile(filepath.Join(shown, f[2]+".yaml"), []byte(f[1]), 0o644))
		}
		for _, line := range documentedRun.FindAllStringSubmatch(string(text), -1) {
			found++
			t.Run(line[1], func(t *testing.T) {
				words, err := exec.Command("sh", "-c", `printf '%s\n' `+line[1]).Output()
				require.NoError(t, err)
				loads(t, shown, strings.Split(strings.TrimSpace(string(words)), "\n"))
			})
		}
	}
	require.Greater(t, found, 8, "the pages are written in another way")
}

// loads requires that a command line is one that begins its runs. Scenario
// files that are not there may be among those in shown.
func loads(t *testing.T, shown string, args []string) {
	t.Helper()
	code := program.ExitPass
	cmd, args, err := command(&code).Find(args)
	require.NoError(t, err)
	require.NoError(t, cmd.ParseFlags(args))
	var o harness.Options
	flags := cmd.Flags()
	for flag, to := range map[string]*string{"world": &o.World, "clock": &o.Clock} {
		*to, err = flags.GetString(flag)
		require.NoError(t, err)
	}
	o.Sets, err = flags.GetStringArray("set")
	require.NoError(t, err)
	o.Duration, err = flags.GetDuration("duration")
	require.NoError(t, err)
	o.Exact, err = flags.GetBool("exact")
	require.NoError(t, err)
	require.NotEmpty(t, flags.Args())
	for _, o.File = range flags.Args() {
		if _, err := os.Stat(o.File); err != nil && strings.HasSuffix(o.File, ".yaml") {
			o.File = filepath.Join(shown, o.File)
		}
		_, err := o.Load()
		require.NoError(t, err)
	}
}

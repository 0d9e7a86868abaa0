// SPDX-License-Identifier: Apache-2.0

package scenarios

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"
)

// TestScripts parses what each case says. Lines of the form '--set path=value'
// at its end are settings; 'world' lists the capabilities of a world.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "../testdata/scenarios", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			source, settings := splitSettings(t, d.Input)
			if d.Cmd == "faults" { // the rest of the scenario does not matter
				source = "name: test\nfaults:\n" + source
			}
			s, err := Parse("test.yaml", []byte(source), settings...)
			if err != nil {
				return err.Error() + "\n"
			}
			switch d.Cmd {
			case "world":
				var has []Capability
				for _, arg := range d.CmdArgs {
					has = append(has, Capability(arg.Key))
				}
				if err := s.CheckCapabilities("test", has); err != nil {
					return err.Error() + "\n"
				}
				return "ok\n"
			case "resolve":
				out, err := s.Marshal()
				require.NoError(t, err)
				return string(out)
			}
			return "ok\n"
		})
	})
}

func splitSettings(t *testing.T, input string) (source string, settings []Setting) {
	var lines []string
	for _, line := range strings.Split(input, "\n") {
		text, isSetting := strings.CutPrefix(line, "--set ")
		if !isSetting {
			lines = append(lines, line)
			continue
		}
		setting, err := ParseSetting(text)
		require.NoError(t, err)
		settings = append(settings, setting)
	}
	return strings.Join(lines, "\n"), settings
}

func TestEmbeddedScenariosAreThoseInTheFolder(t *testing.T) {
	files, err := filepath.Glob("*.yaml")
	require.NoError(t, err)
	require.Len(t, Names(), len(files))
	for _, name := range Names() {
		loaded, err := Load(name)
		require.NoError(t, err)
		require.Equal(t, name, loaded.Name, "a scenario is named like its file")
		read, err := ParseFile(name + ".yaml")
		require.NoError(t, err)
		read.where, loaded.where = nil, nil
		require.Equal(t, loaded, read)
	}
}

func TestResolvedScenarioReadsBackTheSame(t *testing.T) {
	for _, name := range Names() {
		s, err := Load(name)
		require.NoError(t, err)
		requireRoundTrip(t, s)
	}
}

func requireRoundTrip(t testing.TB, s *Scenario) {
	t.Helper()
	text, err := s.Marshal()
	require.NoError(t, err)
	again, err := Parse("resolved.yaml", text)
	require.NoError(t, err, "%s", text)
	second, err := again.Marshal()
	require.NoError(t, err)
	require.Equal(t, string(text), string(second))
	again.where = s.where
	if len(s.Faults) == 0 { // an empty list and none are the same
		again.Faults = s.Faults
	}
	require.Equal(t, s, again)
}

// TestQuickstartKeepsItsPromise: what the README says of it.
func TestQuickstartKeepsItsPromise(t *testing.T) {
	s, err := Load("quickstart")
	require.NoError(t, err)
	require.Equal(t, 3, s.Deployment.Drummers)
	require.Equal(t, 5, s.Deployment.NodeHosts)
	require.Equal(t, 16, s.Clusters.Count)
	require.Equal(t, 3, s.Clusters.Size)
	require.Equal(t, "10m", s.Duration.String())
	require.Equal(t, 5000, s.Checks.Evidence.MinOperations)
	least, dead := map[string]int{}, 0
	for _, f := range s.Faults {
		name := f.Kind
		if f.Target.OfDrummers() {
			name += " " + f.Target.String()
		}
		least[name] += f.AtLeast
		if f.Forever {
			dead += f.Count
		}
	}
	require.GreaterOrEqual(t, least[Kill], 5)
	require.GreaterOrEqual(t, least[PowerLoss], 2)
	require.GreaterOrEqual(t, least[Partition], 2)
	require.GreaterOrEqual(t, least["kill drummer-leader"], 1)
	require.Equal(t, 1, dead)
}

func TestLoadSuggestsNames(t *testing.T) {
	_, err := Load("quickstrat")
	require.ErrorContains(t, err, `did you mean "quickstart"?`)
	_, err = ParseFile(filepath.Join(t.TempDir(), "none.yaml"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestParseSettingNeedsAPathAndAValue(t *testing.T) {
	for _, text := range []string{"", "clusters.size", "=5"} {
		_, err := ParseSetting(text)
		require.Error(t, err, "%q", text)
	}
	s, err := ParseSetting("description=a=b")
	require.NoError(t, err)
	require.Equal(t, Setting{Path: "description", Value: "a=b"}, s)
}

func TestRegionsAreDealtOutInTurn(t *testing.T) {
	s, err := Load("quickstart", Setting{"deployment.regions", "[a, b]"})
	require.NoError(t, err)
	var regions []string
	for host := 1; host <= 5; host++ {
		regions = append(regions, s.RegionOf(host))
	}
	require.Equal(t, []string{"a", "b", "a", "b", "a"}, regions)
	s, err = Load("quickstart")
	require.NoError(t, err)
	require.Empty(t, s.RegionOf(1))
}

func TestEachFieldIsDescribed(t *testing.T) {
	paths := map[string]bool{}
	for _, entry := range Reference() {
		require.NotEmpty(t, entry.Doc, entry.Path)
		require.NotEmpty(t, entry.Type, entry.Path)
		require.False(t, paths[entry.Path], entry.Path)
		paths[entry.Path] = true
	}
	require.True(t, paths["faults[].every"])
	require.True(t, paths["checks.repair.max"])
	for _, kind := range Kinds {
		for _, key := range append(kind.Required, kind.Optional...) {
			require.True(t, paths["faults[]."+key], "%s takes %s", kind.Name, key)
		}
	}
}

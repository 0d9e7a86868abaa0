// SPDX-License-Identifier: Apache-2.0

package scenarios

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"
)

func init() {
	RegisterMeasure(Measure{Key: "test-count", Doc: "A number, for tests.", Unit: Count})
	RegisterMeasure(Measure{Key: "test-time", Doc: "A time, for tests.", Unit: Time})
	RegisterMeasure(Measure{Key: "test-names", Doc: "Colours, for tests.", Unit: NameSet, Names: func() []string { return []string{"red", "green", "blue"} }})
	RegisterMeasure(Measure{Key: "test-any", Doc: "Any names, for tests.", Unit: NameSet})
}

// TestScripts parses what each case says. Lines of the form '--set path=value'
// at its end are settings; 'world' lists the capabilities of a world.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "../testdata/scenarios", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			source, settings := splitSettings(t, d.Input)
			switch d.Cmd { // the rest of the scenario does not matter
			case "faults":
				source = "name: test\nfaults:\n" + source
			case "resolve-expect":
				source = "name: test\n" + source
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
			case "brief":
				requireRoundTrip(t, s)
				out, err := s.Brief()
				require.NoError(t, err)
				return string(out)
			case "resolve":
				out, err := s.Marshal()
				require.NoError(t, err)
				return string(out)
			case "resolve-expect":
				requireRoundTrip(t, s)
				out, err := s.Marshal()
				require.NoError(t, err)
				return string(out[bytes.Index(out, []byte("expect:")):])
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
	brief, err := s.Brief()
	require.NoError(t, err)
	for _, written := range [][]byte{text, brief} {
		again, err := Parse("resolved.yaml", written)
		require.NoError(t, err, "%s", written)
		second, err := again.Marshal()
		require.NoError(t, err)
		require.Equal(t, string(text), string(second))
		requireSame(t, s, again)
	}
}

// requireSame compares a scenario with one that was read from another text.
func requireSame(t testing.TB, s, again *Scenario) {
	t.Helper()
	again.where = s.where
	for i := range again.Expect { // it stands elsewhere now
		require.Positive(t, again.Expect[i].Line)
		again.Expect[i].Line = s.Expect[i].Line
	}
	if len(s.Faults) == 0 { // an empty list and none are the same
		again.Faults = s.Faults
	}
	require.Equal(t, s, again)
}

func TestABriefScenarioHasNoDefaults(t *testing.T) {
	s, err := Parse("test.yaml", []byte("name: x\nclusters: {count: 16, size: 5}\nworkload: {mix: {get: 45, put: 1}}\ndeployment: {nodehosts: 5}\n"))
	require.NoError(t, err)
	text, err := s.Brief()
	require.NoError(t, err)
	require.Equal(t, "name: x\nclusters: {size: 5}\nworkload:\n  mix: {put: 1}\n", string(text))
	require.Equal(t, []string{"name", "clusters.size", "workload.mix.put"}, s.Settings())
	again, err := s.Without("clusters.size", "workload.mix.put")
	require.NoError(t, err)
	require.Equal(t, []string{"name"}, again.Settings())
	_, err = s.Without("name")
	require.ErrorContains(t, err, `found no "name"`)
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
	text, err := s.Marshal()
	require.NoError(t, err)
	require.Contains(t, string(text), "min_operations: 5000")
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
	require.GreaterOrEqual(t, least["kill"], 5)
	require.GreaterOrEqual(t, least["power-loss"], 2)
	require.GreaterOrEqual(t, least["partition"], 2)
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
		regions = append(regions, s.Deployment.Region(host))
	}
	require.Equal(t, []string{"a", "b", "a", "b", "a"}, regions)
	s, err = Load("quickstart")
	require.NoError(t, err)
	require.Empty(t, s.Deployment.Region(1))
}

func TestEachFieldIsDescribed(t *testing.T) {
	paths, described := map[string]bool{}, map[Entry]bool{}
	for _, entry := range Reference() {
		require.NotEmpty(t, entry.Doc, entry.Path)
		require.NotEmpty(t, entry.Type, entry.Path)
		require.False(t, described[entry], entry.Path)
		paths[entry.Path], described[entry] = true, true
	}
	for _, path := range []string{"faults[].every", "faults[].drop", "checks.repair.max", "checks.digests.enabled"} {
		require.True(t, paths[path], path)
	}
}

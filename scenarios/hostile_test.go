// SPDX-License-Identifier: Apache-2.0

package scenarios

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"
)

func compileSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	text, err := Schema()
	require.NoError(t, err)
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	require.NoError(t, compiler.AddResource("scenario.json", document))
	schema, err := compiler.Compile("scenario.json")
	require.NoError(t, err)
	return schema
}

// plain reads YAML as an editor does.
func plain(t testing.TB, source []byte) any {
	t.Helper()
	var value any
	require.NoError(t, yaml.Unmarshal(source, &value))
	return value
}

func TestSchemaAcceptsEmbeddedScenarios(t *testing.T) {
	schema := compileSchema(t)
	for _, name := range Names() {
		source, err := files.ReadFile(name + ".yaml")
		require.NoError(t, err)
		require.NoError(t, schema.Validate(plain(t, source)), name)
		s, err := Load(name)
		require.NoError(t, err)
		resolved, err := s.Marshal()
		require.NoError(t, err)
		require.NoError(t, schema.Validate(plain(t, resolved)), "%s, resolved", name)
	}
}

func TestSchemaRefusesWhatOneFieldCanTell(t *testing.T) {
	schema := compileSchema(t)
	for _, source := range []string{
		"duration: 10m",
		"{name: x, workloads: {}}",
		"{name: x, duration: 10}",
		"{name: x, clusters: {size: 0}}",
		"{name: x, clusters: {statemachine: sql}}",
		"{name: x, clusters: {bug: {every: 5}}}",
		"{name: x, faults: [{kind: meteor, target: nodehost}]}",
		"{name: x, faults: [{kind: kill, target: nodehost, drop: 20%}]}",
		"{name: x, faults: [{kind: lossy, target: nodehost}]}",
		"{name: x, faults: [{kind: lossy, target: nodehost, drop: 20}]}",
		"{name: x, faults: [{kind: kill, target: nodehost-0}]}",
		"{name: x, checks: {fairness: {}}}",
		"{name: x, checks: {repair: {max: 5}}}",
		"{name: x, checks: {digests: {enabled: 1}}}",
		"{name: x, expect: {test-count: -1}}",
		"{name: x, expect: {test-count: many}}",
		"{name: x, expect: {test-time: 5}}",
		"{name: x, expect: {test-names: yellow}}",
		"{name: x, expect: {test-any: []}}",
		"{name: x, expect: {other: 1}}",
		"{name: x, faults: [{kind: wipe, target: nodehost, forever: true}]}",
	} {
		require.Error(t, schema.Validate(plain(t, []byte(source))), source)
	}
}

// drawValue draws something that a field might be given.
func drawValue(t *rapid.T) string {
	return rapid.SampledFrom([]string{
		"1", "3", "5", "0", "-1", "2.5", "true", "false", "text", "10s", "1m", "10s..40s", "20%", "nodehost", "nodehost-2", "drummer",
		"kill", "lossy", "partition", "regular", "ondisk", "noop", "drop-update", "[]", "{}", "null", "[1m]", "{a: 1}",
		"'>= 1'", ">= 1", "< 3s", "= 0s", "none", "[red, blue]", "red", "{max: 1m}", "{test-count: 1, test-any: x}",
		"{kind: kill, target: nodehost, count: 1, for: 10s}", "''", "\"1\"", "!x 1", "&a 1",
	}).Draw(t, "value")
}

// TestWhatParseAcceptsTheSchemaAcceptsAndReadsBack draws settings of fields
// that exist.
func TestWhatParseAcceptsTheSchemaAcceptsAndReadsBack(t *testing.T) {
	schema := compileSchema(t)
	reference := Reference()
	check := func(t testing.TB, s *Scenario) {
		text, err := s.Marshal()
		require.NoError(t, err)
		require.NoError(t, schema.Validate(plain(t, text)), "the schema refuses what was parsed:\n%s", text)
		requireRoundTrip(t, s)
	}
	for _, setting := range []string{"clusters.size=4", "faults=[]", "faults[1].at=[]", "deployment.regions=[]", "clusters.regions={}", "actions=[]"} {
		parsed, err := ParseSetting(setting)
		require.NoError(t, err)
		s, err := Load("quickstart", parsed)
		require.NoError(t, err, setting)
		check(t, s)
	}
	rapid.Check(t, func(rt *rapid.T) {
		var settings []Setting
		for range rapid.IntRange(1, 3).Draw(rt, "settings") {
			entry := rapid.SampledFrom(reference).Draw(rt, "field")
			index := rapid.IntRange(0, 6).Draw(rt, "index")
			settings = append(settings, Setting{strings.ReplaceAll(entry.Path, "[]", fmt.Sprintf("[%d]", index)), drawValue(rt)})
		}
		s, err := Load("quickstart", settings...)
		if err != nil {
			requireProblems(t, err)
			return
		}
		check(t, s)
	})
}

// requireProblems checks that an error says what is wrong, and where.
func requireProblems(t testing.TB, err error) {
	t.Helper()
	var all Problems
	require.True(t, errors.As(err, &all) && len(all) > 0, "%v", err)
	for _, p := range all {
		require.NotEmpty(t, p.Text)
		require.True(t, p.Line > 0 || strings.HasPrefix(p.File, "--set "), "%v has no line", p)
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range Names() {
		source, err := files.ReadFile(name + ".yaml")
		require.NoError(f, err)
		f.Add(source, "clusters.size", "5")
	}
	f.Add([]byte("name: x\nfaults: [{kind: lossy, target: drummer-2, at: [1s], for: 1s..2s, drop: 5%}]\n"), "faults[0].drop", "7%")
	f.Add([]byte("name: x\nexpect: {test-count: >= 1, test-time: < 40s, test-names: [red, blue]}\nchecks: {repair: {max: 1m}}\n"), "expect.test-any", "x")
	f.Fuzz(func(t *testing.T, source []byte, path, value string) {
		s, err := Parse("fuzz.yaml", source, Setting{path, value})
		if err != nil {
			requireProblems(t, err)
			return
		}
		requireRoundTrip(t, s)
	})
}

func TestSourceTooBigIsRefused(t *testing.T) {
	_, err := Parse("big.yaml", bytes.Repeat([]byte("#"), maxSourceBytes+1))
	require.ErrorContains(t, err, "big.yaml: found more than")
}

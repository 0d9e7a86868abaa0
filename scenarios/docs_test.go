// SPDX-License-Identifier: Apache-2.0

package scenarios

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const docsFile = "../docs/scenarios.md"

// TestDocumentedTablesAreCurrent compares the tables in the documentation with
// the descriptions they are made from. With -rewrite it writes them.
func TestDocumentedTablesAreCurrent(t *testing.T) {
	source, err := os.ReadFile(docsFile)
	require.NoError(t, err)
	want := replaceBlock(t, string(source), "kinds", kindsTable())
	want = replaceBlock(t, want, "moments", momentsTable())
	want = replaceBlock(t, want, "checks", checksTable())
	want = replaceBlock(t, want, "measures", measuresTable())
	want = replaceBlock(t, want, "bugs", bugsTable())
	want = replaceBlock(t, want, "fields", fieldsTable())
	want = replaceBlock(t, want, "mistakes", mistakes(t, example(t, want)))
	if flag.Lookup("rewrite").Value.String() == "true" {
		require.NoError(t, os.WriteFile(docsFile, []byte(want), 0o644))
		return
	}
	require.Equal(t, want, string(source), "run go test ./scenarios -rewrite")
}

func replaceBlock(t *testing.T, text, name, block string) string {
	t.Helper()
	begin, end := fmt.Sprintf("<!-- begin %s -->\n", name), fmt.Sprintf("<!-- end %s -->", name)
	before, rest, ok := strings.Cut(text, begin)
	require.True(t, ok, "there is no %q", begin)
	_, after, ok := strings.Cut(rest, end)
	require.True(t, ok, "there is no %q", end)
	return before + begin + block + end + after
}

func kindsTable() string {
	var out strings.Builder
	out.WriteString("| kind | what is done | parameters of its own | forever | needs |\n|---|---|---|---|---|\n")
	for _, kind := range FaultKinds() {
		forever := "no"
		if kind.Forever {
			forever = "yes"
		}
		fmt.Fprintf(&out, "| `%s` | %s | %s | %s | `%s` |\n", kind.Name, kind.Doc, fieldNames(kind.ParameterReference()), forever, kind.Needs)
	}
	return out.String()
}

func momentsTable() string {
	var out strings.Builder
	out.WriteString("| moment | what happens |\n|---|---|\n")
	for _, m := range MomentKinds() {
		fmt.Fprintf(&out, "| `%s` | %s |\n", m.Name, m.Doc)
	}
	return out.String()
}

func checksTable() string {
	var out strings.Builder
	out.WriteString("| check | what is judged | settings of its own |\n|---|---|---|\n")
	for _, kind := range CheckKinds() {
		fmt.Fprintf(&out, "| `%s` | %s | %s |\n", kind.Key, kind.Doc, fieldNames(kind.SettingReference()))
	}
	return out.String()
}

func measuresTable() string {
	var out strings.Builder
	for _, m := range Measures() {
		if ofTests(m.Key) {
			continue
		}
		if out.Len() == 0 {
			out.WriteString("| measure | what it is | value |\n|---|---|---|\n")
		}
		fmt.Fprintf(&out, "| `%s` | %s | %s |\n", m.Key, m.Doc, m.Form())
	}
	return out.String()
}

// fieldNames lists fields with their defaults.
func fieldNames(entries []Entry) string {
	var texts []string
	for _, entry := range entries {
		text := "`" + entry.Path + "`"
		switch entry.Default {
		case "":
		case "required":
			text += " (required)"
		default:
			text += " (default `" + entry.Default + "`)"
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, ", ")
}

// ofTests reports whether a measure is one that this package's tests register.
func ofTests(measure string) bool { return strings.HasPrefix(measure, "test-") }

func bugsTable() string {
	var out strings.Builder
	out.WriteString("| kind | what it does | an occasion is | every | found by |\n|---|---|---|---|---|\n")
	for _, bug := range BugKinds() {
		fmt.Fprintf(&out, "| `%s` | %s | %s | %d | %s |\n", bug.Name, bug.Doc, bug.Occasion, bug.Every, foundBy(bug))
	}
	return out.String()
}

func foundBy(bug BugKind) string {
	checks := strings.Join(bug.FoundBy, ", ")
	if bug.Racy {
		checks += ", where `explore` preempts"
	}
	return checks
}

func fieldsTable() string {
	var out strings.Builder
	out.WriteString("| field | type | default | limits | |\n|---|---|---|---|---|\n")
	for _, entry := range Reference() {
		if measure, ok := strings.CutPrefix(entry.Path, "expect."); ok && ofTests(measure) {
			continue
		}
		fmt.Fprintf(&out, "| `%s` | %s | %s | %s | %s |\n", entry.Path, entry.Type, entry.Default, entry.Limits, entry.Doc)
	}
	return out.String()
}

// example returns the scenario that the documentation begins with.
func example(t *testing.T, docs string) string {
	t.Helper()
	_, rest, ok := strings.Cut(docs, "```yaml\n")
	require.True(t, ok)
	source, _, ok := strings.Cut(rest, "```")
	require.True(t, ok)
	return source
}

// mistakes shows what is said of an example with some mistakes in it.
func mistakes(t *testing.T, source string) string {
	t.Helper()
	wrong := strings.NewReplacer("size: 3", "sise: 3", "for: 5s..20s", "for: 20", "target: cluster-leader", "target: cluster-leaders").Replace(source)
	_, err := Parse("power-cut.yaml", []byte(wrong), Setting{"workload.rate", "fast"})
	require.Error(t, err)
	return "```\n" + err.Error() + "\n```\n"
}

// TestDocumentedScenarioIsValid parses the examples of the documentation.
func TestDocumentedScenarioIsValid(t *testing.T) {
	source, err := os.ReadFile(docsFile)
	require.NoError(t, err)
	s, err := Parse("power-cut.yaml", []byte(example(t, string(source))), Setting{"clusters.size", "4"}, Setting{"faults[0].every", "20s"})
	require.NoError(t, err)
	require.Equal(t, "power-cut", s.Name)
	for _, begin := range []string{"faults:\n  # roll", "phases:\n"} {
		_, rest, ok := strings.Cut(string(source), "```yaml\n"+begin)
		require.True(t, ok, begin)
		part, _, _ := strings.Cut(rest, "```")
		_, err := Parse("part.yaml", []byte("name: part\nduration: 10m\ndeployment: {racks: 2}\n"+begin+part))
		require.NoError(t, err)
	}
}

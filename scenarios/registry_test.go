// SPDX-License-Identifier: Apache-2.0

package scenarios

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRegistrationRefusesMistakesOfTheProgram(t *testing.T) {
	for name, register := range map[string]func(){
		"a kind of fault without a name": func() { RegisterFault(FaultKind{}) },
		"a kind of fault twice":          func() { RegisterFault(FaultKind{Name: "kill"}) },
		"a parameter that every fault has": func() {
			RegisterFault(FaultKind{Name: "new", Parameters: struct {
				A string `key:"target"`
			}{}})
		},
		"a default that is none": func() {
			RegisterFault(FaultKind{Name: "new", Parameters: struct {
				A int `key:"a" default:"many"`
			}{}})
		},
		"a limit that is none": func() {
			RegisterCheck(CheckKind{Key: "new", Settings: struct {
				A time.Duration `key:"a" max:"5"`
			}{}})
		},
		"a setting that every check has": func() {
			RegisterCheck(CheckKind{Key: "new", Settings: struct {
				A bool `key:"enabled"`
			}{}})
		},
		"a check twice":   func() { RegisterCheck(CheckKind{Key: "digests"}) },
		"a measure twice": func() { RegisterMeasure(Measure{Key: "test-count"}) },
	} {
		require.Panics(t, register, name)
	}
	_, known := FaultKindOf("new")
	require.False(t, known)
}

// testSettings are the settings of a check of these tests.
type testSettings struct {
	Limit time.Duration `key:"limit" default:"5s" min:"1s" doc:"A time."`
	Share Percent       `key:"share" optional:"true" doc:"A share."`
}

// withCheck registers a check for the length of a test.
func withCheck(t *testing.T, k CheckKind) {
	RegisterCheck(k)
	t.Cleanup(func() { delete(checkKinds.byName, k.Key) })
}

func TestSettingsOfChecksAreTyped(t *testing.T) {
	withCheck(t, CheckKind{Key: "test", Doc: "A test.", Settings: testSettings{}})
	withCheck(t, CheckKind{Key: "test-plain", Doc: "A test without settings."})
	s, err := Parse("test.yaml", []byte("name: test\nchecks: {test: {enabled: false, share: 5%}}\n"), Setting{"checks.test.limit", "90s"})
	require.NoError(t, err)
	require.False(t, s.Checks.Enabled("test"))
	require.Equal(t, &testSettings{Limit: 90 * time.Second, Share: 5}, s.Checks.Settings("test"))
	requireRoundTrip(t, s)

	var unsaid Checks
	require.True(t, unsaid.Enabled("test"))
	require.Equal(t, &testSettings{Limit: 5 * time.Second}, unsaid.Settings("test"))
	require.Nil(t, unsaid.Settings("test-plain"))
	require.Panics(t, func() { unsaid.Enabled("fairness") })
}

func TestExpectationsKeepTheOrderAndLinesOfTheFile(t *testing.T) {
	s, err := Parse("test.yaml", []byte("name: test\nexpect:\n  test-time: <= 1m\n  test-names: [red,\n    blue]\n  test-count: 3\n"), Setting{"expect.test-any", "x"})
	require.NoError(t, err)
	require.Equal(t, Expectations{
		{Measure: "test-time", Op: "<=", Number: float64(time.Minute), Line: 3},
		{Measure: "test-names", Names: []string{"red", "blue"}, Line: 4},
		{Measure: "test-count", Op: "=", Number: 3, Line: 6},
		{Measure: "test-any", Names: []string{"x"}},
	}, s.Expect)
}

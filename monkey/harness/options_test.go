// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAProgramIsStartedAgainAsItWas(t *testing.T) {
	t.Chdir(t.TempDir())
	const hash = "e459154a04d2eb2b53303aafc07cd33f470f31054ae8eb35379ff619eabcb5e9"
	for _, own := range []string{"monkey", "bin/monkey", "/opt/my-go-builds/monkey", "/srv/e4/" + hash + "/monkey"} {
		require.Equal(t, own, program(own))
	}
	require.Equal(t, "'/my tools/monkey'", program("/my tools/monkey"))
	for _, built := range []string{
		"/tmp/go-build12/b001/exe/monkey", "/tmp/go-build12/b001/monkey.test",
		"/home/me/.cache/go-build/e4/" + hash + "-d/monkey", // with -trimpath
		"/srv/cache/e4/" + hash + "-d/monkey",               // and GOCACHE
	} {
		require.Equal(t, "go run github.com/drumbeat-raft/drumbeat/cmd/monkey", program(built))
	}
	require.NoError(t, os.MkdirAll("cmd/monkey", 0o755))
	require.NoError(t, os.WriteFile("cmd/monkey/main.go", nil, 0o644))
	require.Equal(t, "go run ./cmd/monkey", program("/tmp/go-build12/b001/exe/monkey"))
}

func TestADurationThatDoesNotFitIsToldFromOtherMistakes(t *testing.T) {
	load := func(duration time.Duration, sets ...string) error {
		o := Options{File: "quickstart", World: WorldSim, Clock: ClockVirtual, Duration: duration, Sets: sets}
		_, err := o.Load()
		return err
	}
	require.NoError(t, load(8*time.Minute))
	err := load(time.Minute)
	require.ErrorAs(t, err, new(UsageError))
	require.ErrorContains(t, err, "--duration 1m does not fit this scenario, whose own is 10m. Give another one, or override with --set what is named here:\nscenarios/quickstart.yaml:")
	require.ErrorContains(t, err, "faults[5].after: found 1m, expected less than 1m")
	require.NoError(t, load(time.Minute, "faults[5].after=30s"), "what the error says to do works")
	require.NotContains(t, load(time.Minute, "clusters.sise=3").Error(), "does not fit")
}

// An upgrade of what has one version would be nothing but a restart. What a swarm
// draws is for any guest.
func TestAnUpgradeTakesAnotherVersion(t *testing.T) {
	load := func(guest *Guest, text string) error {
		o := Options{File: "test", Text: "name: test\n" + text, World: WorldSim, Clock: ClockVirtual, Seed: 1, Guest: guest}
		_, err := o.Load()
		return err
	}
	const faults = "faults: [{every: 1m, sequence: [{kind: kill, target: nodehost, for: 5s}, {kind: upgrade, target: nodehost, for: 5s}]}]\n"
	require.NoError(t, load(nil, faults))
	require.NoError(t, load(&Guest{Versions: true}, faults))
	err := load(&Guest{}, faults)
	require.ErrorAs(t, err, new(UsageError))
	require.ErrorContains(t, err, "test: faults[0].sequence[1] upgrades hosts, and Config.StateMachine has one version only")
	require.NoError(t, load(&Guest{}, "faults: [{kind: kill, target: nodehost, every: 1m, for: 5s}]\n"))
	require.NoError(t, load(&Guest{}, "swarm: true\n"))
}

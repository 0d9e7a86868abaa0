// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/engine"
)

func TestLooksThatCanNotBe(t *testing.T) {
	for want, f := range map[string]replayFlags{
		"--dump needs an instant":   {look: engine.Look{Subjects: []string{"drummer"}}},
		"can't be looked at":        {look: engine.Look{Subjects: []string{"moon"}, Until: time.Minute}},
		"no instant to look at":     {look: engine.Look{Subjects: []string{"drummer"}, At: []time.Duration{2 * time.Minute}, Until: time.Minute}},
		"0 subjects to be dumped":   {look: engine.Look{At: []time.Duration{time.Minute}}},
		`log level "loud"`:          {look: engine.Look{Log: "loud"}},
		"-1s is no instant to look": {look: engine.Look{Until: -time.Second}},
	} {
		require.ErrorContains(t, f.check(true), want)
	}
	f := replayFlags{look: engine.Look{Log: "debug"}}
	require.ErrorContains(t, f.check(false), "no exact run")
	require.NoError(t, (&replayFlags{}).check(false), "any run can be run again")
}

func TestDumpsAreAsOfTheEndUnlessToldOtherwise(t *testing.T) {
	f := replayFlags{look: engine.Look{Subjects: []string{"drummer"}, Until: time.Minute}}
	require.NoError(t, f.check(true))
	require.Equal(t, []time.Duration{time.Minute}, f.look.At)
}

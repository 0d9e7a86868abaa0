// SPDX-License-Identifier: Apache-2.0

package smtest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// knownBad is every bug of the toys, with the check that must find it.
var knownBad = []struct {
	bug   bug
	check *check // one of those that must find it
	make  func(bug) Machine
	set   func(*Config) // nil: as toyConfig says
}{
	{mapOrder, &deterministic, newRegularToy, nil},
	{clock, &deterministic, newRegularToy, nil},
	{year, &deterministic, newRegularToy, nil},
	{random, &deterministic, newRegularToy, nil},
	{knowsNode, &deterministic, newRegularToy, nil},
	{address, &deterministic, newRegularToy, nil},
	{sharesVariable, &deterministic, newRegularToy, nil},
	{failsUpdate, &examination, newRegularToy, nil},
	{batchOnOldState, &batches, newConcurrentToy, nil},
	{answersLast, &batches, newConcurrentToy, nil},
	{returnsFewer, &examination, newConcurrentToy, nil},
	{keepsCommand, &input, newRegularToy, nil},
	{changesCommand, &input, newRegularToy, nil},
	{reusesBuffer, &kept, newRegularToy, nil},
	{handsOutState, &kept, newRegularToy, nil},
	{countsLookups, &readOnly, newRegularToy, nil},
	{savesOnce, &readOnly, newRegularToy, nil},
	{forgetsField, &snapshots, newRegularToy, nil},
	{recoversInto, &snapshots, newRegularToy, nil},
	{readsOnce, &snapshots, newRegularToy, nil},
	{savesPresent, &pointInTime, newConcurrentToy, nil},
	{savesInAnyOrder, &sameBytes, newOnDiskToy, nil},
	{ignoresWrite, &stoppedSave, newRegularToy, nil},
	{wrapsStopped, &stoppedSave, newRegularToy, nil},
	{panicsStopped, &stoppedSave, newRegularToy, nil},
	{neverStops, &stoppedSave, newRegularToy, func(c *Config) { c.StopWithin = 50 }},
	{hangs, &stoppedSave, newRegularToy, func(c *Config) { c.Timeout = time.Second }},
	{ignoresRead, &stoppedRecovery, newRegularToy, nil},
	{indexFirst, &stoppedRecovery, newOnDiskToy, nil},
	{countsUpdates, &reopen, newOnDiskToy, nil},
	{replaysTwice, &reopen, newOnDiskToy, nil},
	{twoFiles, &reopen, newOnDiskToy, nil},
	{snapshotNoIndex, &reopen, newOnDiskToy, nil},
	{savesInClose, &reopen, newOnDiskToy, nil},
	{overwrites, &powerLoss, newOnDiskToy, nil},
	{syncsNothing, &powerLoss, newOnDiskToy, nil},
	{forgetsFolder, &powerLoss, newOnDiskToy, nil},
	{wrapsOpen, &stoppedOpen, newOnDiskToy, nil},
	{sharesScratch, &concurrency, newRegularToy, nil},
	{looksBetween, &concurrency, newConcurrentToy, nil},
	{leaksGoroutine, &closing, newRegularToy, nil},
	{panicsClosed, &closing, newConcurrentToy, nil},
	{leavesFileOpen, &closing, newOnDiskToy, nil},
}

// foundWithin is how many trials the search for a known bug may take, with
// shrinking. A trial is a fraction of a millisecond.
const foundWithin = 10_000

// runsToFind is how many logs it may take.
const runsToFind = 100

func TestEachKnownBugIsFoundByItsCheckAndShrunk(t *testing.T) {
	for _, bad := range knownBad {
		t.Run(string(bad.bug), func(t *testing.T) {
			c := toyConfig()
			if bad.set != nil {
				bad.set(&c)
			}
			c.Runs = runsToFind
			k := newKit(t, bad.make(bad.bug), c)
			found, _ := k.search(1)
			require.NotNil(t, found, "nothing was found")
			t.Logf("after %d trials: %s", k.trials, found.text(func(b []byte) string { return string(b) }))
			require.Equal(t, bad.check.name, found.check.name)
			require.LessOrEqual(t, k.trials, foundWithin)
			if !found.hangs {
				require.LessOrEqual(t, len(found.log), 4, "it is shrunk")
			}
		})
	}
}

func TestNothingIsFoundInGoodToys(t *testing.T) {
	for _, m := range []func(bug) Machine{newRegularToy, newConcurrentToy, newOnDiskToy} {
		Run(t, m(""), toyConfig())
	}
}

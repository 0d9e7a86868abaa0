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
	{looksBetween, &concurrency, newConcurrentToy, nil},
	{leaksGoroutine, &closing, newRegularToy, nil},
	{panicsClosed, &closing, newConcurrentToy, nil},
	{leavesFileOpen, &closing, newOnDiskToy, nil},
}

// foundWithin is how long the search for a known bug may take, with shrinking.
const foundWithin = 10 * time.Second

func TestEachKnownBugIsFoundByItsCheckAndShrunk(t *testing.T) {
	for _, bad := range knownBad {
		t.Run(string(bad.bug), func(t *testing.T) {
			c := toyConfig()
			if bad.set != nil {
				bad.set(&c)
			}
			began := time.Now()
			found, _ := newKit(t, bad.make(bad.bug), c).search(1)
			took := time.Since(began)
			require.NotNil(t, found, "nothing was found")
			t.Logf("after %v: %s", took, found.text(func(b []byte) string { return string(b) }))
			require.Equal(t, bad.check.name, found.check.name)
			require.LessOrEqual(t, took, foundWithin)
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

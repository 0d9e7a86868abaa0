// SPDX-License-Identifier: Apache-2.0

package monkey

import "github.com/drumbeat-raft/drumbeat/monkey/rundir"

// softSettingsFile is where Dragonboat looks, in the working directory of its
// process, for settings of its own.
const softSettingsFile = "dragonboat-soft-settings.json"

// softSettings make Dragonboat allocate its slices of log entries in memory in
// small pieces. With the default of 512 entries for each of many small, quiet
// clusters that takes an eighth of a run's processor time; the behaviour is
// the same.
type softSettings struct {
	InMemEntrySliceSize   uint64
	MinEntrySliceFreeSize uint64
}

// writeSoftSettings puts them where the child will start.
func writeSoftSettings(dir string) error {
	return rundir.WriteJSON(dir, softSettingsFile, softSettings{InMemEntrySliceSize: 64, MinEntrySliceFreeSize: 16})
}

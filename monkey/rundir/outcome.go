// SPDX-License-Identifier: Apache-2.0

package rundir

import (
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/invariant"
)

// Outcome is a run's facts.json: what the process that held the world knew at
// its end. A run that was killed has none.
type Outcome struct {
	// Elapsed is the length of the run on its own clock.
	Elapsed time.Duration `json:"elapsed_ns"`
	// Finished says that every phase was carried out; otherwise Cause says
	// why not.
	Finished bool   `json:"finished"`
	Cause    string `json:"cause,omitempty"`
	// Launched counts the clusters that had their full number of running
	// members when the launch phase ended; Launch is how long it took.
	Launched int           `json:"launched"`
	Launch   time.Duration `json:"launch_ns"`
	// Settled says that everything was whole again before the time for it
	// was over; otherwise Unsettled says what was not.
	Settled   bool          `json:"settled"`
	Settle    time.Duration `json:"settle_ns"`
	Unsettled []string      `json:"unsettled,omitempty"`
	// Unmet lists which clusters and hosts were in the end, in truth, not what
	// the scenario and its actions ask for.
	Unmet []string `json:"unmet,omitempty"`
	// Hidden lists what went wrong inside of processes and would not show
	// otherwise; see world.World.Examine.
	Hidden []string `json:"hidden,omitempty"`
	// Asked counts the operations that the workload's schedule had drawn for the
	// time of the run, Missed those of them that no idle client could begin, and
	// that are therefore not in the history.
	Asked  int `json:"asked"`
	Missed int `json:"missed"`
	// Upgrades counts the processes that were booted with another version of the state
	// machine than the one before on their host; OlderRead and NewerRead the snapshots
	// that another version read than that which wrote them.
	Upgrades  int   `json:"upgrades,omitempty"`
	OlderRead int64 `json:"older_read,omitempty"`
	NewerRead int64 `json:"newer_read,omitempty"`
	// Bug is what the planted bug did; nil: none was planted.
	Bug   *Bug            `json:"bug,omitempty"`
	Facts invariant.Facts `json:"facts"`
}

// Bug counts what a planted bug did.
type Bug struct {
	Kind string `json:"kind"`
	// Occasions counts how often it could have struck, Strikes how often it
	// did: a bug that never struck can not be found.
	Occasions uint64 `json:"occasions"`
	Strikes   uint64 `json:"strikes"`
}

// End is a run's end.json: how the process that held the world ended, as its
// parent saw it. A run whose parent was killed has none.
type End struct {
	Error   string `json:"error,omitempty"` // of the harness in that process
	Code    int    `json:"code"`
	Signal  string `json:"signal,omitempty"`
	Stopped bool   `json:"stopped,omitempty"` // it was asked to stop
	Killed  bool   `json:"killed,omitempty"`  // because it did not stop in time
	// Until is the instant at which the process was to end, as it did; 0: none.
	Until time.Duration `json:"until_ns,omitempty"`
	// Panic and Stack are what ended the process if it crashed.
	Panic string `json:"panic,omitempty"`
	Stack string `json:"stack,omitempty"`
	// Host is the one whose code panicked, and PanicAt when, if that is known.
	Host    string        `json:"host,omitempty"`
	PanicAt time.Duration `json:"panic_at_ns,omitempty"`
	// CPU is the processor time that it took, System the part of it in the kernel,
	// PeakMemory the most memory in bytes that it had resident, PageFaults how often
	// the kernel had to give it a page; 0: not known.
	CPU        time.Duration `json:"cpu_ns"`
	System     time.Duration `json:"system_ns"`
	PeakMemory int64         `json:"peak_memory_bytes"`
	PageFaults int64         `json:"page_faults"`
}

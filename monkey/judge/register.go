// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"time"

	_ "github.com/drumbeat-raft/drumbeat/monkey/fault" // scenario.yaml speaks of faults
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// The checks that a scenario may switch off, by their keys below checks.
const (
	keyLinearizability = "linearizability"
	keyDigests         = "digests"
	keyMembership      = "membership"
	keyAnswers         = "answers"
	keyRepair          = "repair"
	keyEvidence        = "evidence"
)

// LinearizabilitySettings are the settings of the check linearizability.
type LinearizabilitySettings struct {
	Timeout time.Duration `key:"timeout" default:"60s" min:"1s" max:"24h" doc:"Time on the wall clock after which it gives up: inconclusive, never a pass."`
	Stop    bool          `key:"stop" default:"true" doc:"The run stops at the first operation that makes a history illegal; false: it goes on to its end."`
}

type repairSettings struct {
	Max           time.Duration `key:"max" optional:"true" doc:"A longer repair, from the death of a host to the full strength of a cluster, is a violation. Absent: only the end of settle counts."`
	MaxWriteStall time.Duration `key:"max_write_stall" optional:"true" doc:"A longer time without a successful write to a cluster that had a quorum is a violation. Absent: it is only reported."`
}

type evidenceSettings struct {
	MinOperations int `key:"min_operations" default:"1000" max:"1000000000" doc:"Fewer checked operations than this make the run inconclusive."`
}

func init() {
	for _, kind := range []scenarios.CheckKind{
		{Key: keyLinearizability, Doc: "The recorded history of every key of every cluster is linearizable.", Settings: LinearizabilitySettings{}},
		{Key: keyDigests, Doc: "All nodes of a cluster hold the same data at the same applied index."},
		{Key: keyMembership, Doc: "Every cluster has all its members, alive, on live hosts, in Drummer's eyes and in truth, and no zombie runs."},
		{Key: keyAnswers, Doc: "Every cluster answers a write and a read."},
		{Key: keyRepair, Doc: "Dead members are replaced, and in time.", Settings: repairSettings{}},
		{Key: keyEvidence, Doc: "Enough happened for a pass to mean something.", Settings: evidenceSettings{}},
	} {
		scenarios.RegisterCheck(kind)
	}
}

// JudgesLinearizability returns the settings of the check linearizability, and
// whether it is made.
func JudgesLinearizability(c scenarios.Checks) (LinearizabilitySettings, bool) {
	return *c.Settings(keyLinearizability).(*LinearizabilitySettings), c.Enabled(keyLinearizability)
}

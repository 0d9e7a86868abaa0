// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/invariant"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// Verdict is what a check, or a whole run, ends in.
type Verdict = invariant.Verdict

// The three verdicts. What could not be decided is never a pass.
const (
	Pass         = invariant.Pass
	Violation    = invariant.Violation
	Inconclusive = invariant.Inconclusive
)

// Result is a run's result.json. Seconds are on the run's own clock, virtual
// or real, unless the name says wall.
type Result struct {
	Verdict Verdict `json:"verdict"`
	// Reason says why the verdict is none of the checks' and expectations'.
	Reason         string  `json:"reason,omitempty"`
	Scenario       string  `json:"scenario"`
	Seed           uint64  `json:"seed"`
	World          string  `json:"world"`
	Clock          string  `json:"clock"`
	VirtualSeconds float64 `json:"virtual_seconds"`
	WallSeconds    float64 `json:"wall_seconds"`
	Compression    float64 `json:"compression"` // virtual/wall, judging included
	// CPUSeconds and PeakMemory are what the process that held the world took of
	// the machine; judging comes on top. 0: not known.
	CPUSeconds float64   `json:"cpu_seconds"`
	PeakMemory int64     `json:"peak_memory_bytes"`
	Clusters   int       `json:"clusters"`
	NodeHosts  int       `json:"nodehosts"`
	Drummers   int       `json:"drummers"`
	Ops        Ops       `json:"ops"`
	Faults     []Fault   `json:"faults"`
	Operator   *Operator `json:"operator,omitempty"` // nil: the scenario has no actions
	Checks     []Check   `json:"checks"`
	// Disabled lists the checks that the scenario switches off.
	Disabled    []string    `json:"disabled_checks,omitempty"`
	Repair      Repair      `json:"repair"`
	Drummer     Activity    `json:"drummer_activity"`
	Concurrency Concurrency `json:"concurrency"`
	Timing      Timing      `json:"timing"`
	// Bug is the planted one, if there is any.
	Bug    *Bug          `json:"bug,omitempty"`
	Expect []Expectation `json:"expect"`
	// Fingerprint is that of the whole execution of an exact run; empty for any
	// other. Foreign counts what woke a part of it from outside, which may happen
	// at another moment when it is repeated.
	Fingerprint string `json:"fingerprint,omitempty"`
	Foreign     uint64 `json:"foreign_wakeups,omitempty"`
	// Explored is how the order of goroutines was drawn; nil: as Go does it.
	Explored  *Explored `json:"explored,omitempty"`
	Reproduce string    `json:"reproduce"`
	Dir       string    `json:"dir"`
}

// SetWall notes how long the run took on the wall clock.
func (r *Result) SetWall(d time.Duration) {
	r.WallSeconds = d.Seconds()
	r.Compression = r.VirtualSeconds / r.WallSeconds
}

// Ops counts client operations by outcome. Checked ones were part of a history
// that was judged to the end.
type Ops struct {
	OK      int `json:"ok"`
	Fail    int `json:"fail"`
	Unknown int `json:"unknown"`
	Checked int `json:"checked"`
	// Asked counts what clients were to begin, Missed those of it that no client
	// was idle for.
	Asked  int `json:"asked"`
	Missed int `json:"missed"`
}

// Concurrency is how concurrent the history was. Times are those of the
// operations that succeeded.
type Concurrency struct {
	// Overlapping is the share of the operations that succeeded which overlap
	// another such one on their key.
	Overlapping float64 `json:"overlapping"`
	MeanLatency float64 `json:"mean_latency_ms"`
	P50Latency  float64 `json:"p50_latency_ms"`
	P99Latency  float64 `json:"p99_latency_ms"`
	// Elections counts the leaders that announced themselves.
	Elections int `json:"elections"`
	// FollowerReads is the share of the reads that a follower answered, linearizably
	// all the same.
	FollowerReads float64 `json:"follower_reads"`
	// LeaderChanges counts those of them that did not lead their cluster before.
	LeaderChanges int `json:"leader_changes"`
}

// Timing is how long things take in the world that the scenario asked for, and what
// was simplified for speed. All zero: they take no time, and a history is all but
// sequential.
type Timing struct {
	Network  Spread `json:"network"` // a message, one way
	Sync     Spread `json:"sync"`    // of a disk
	Write    Spread `json:"write"`
	Apply    Spread `json:"apply"` // of an entry, by a state machine
	Snapshot Spread `json:"snapshot"`
	// LogDB is where Dragonboat kept its logs: pebble, its own, or memory.
	LogDB string `json:"logdb"`
}

// Spread is a distribution of times, in milliseconds.
type Spread struct {
	Min    float64 `json:"min_ms"`
	Median float64 `json:"median_ms"`
	P99    float64 `json:"p99_ms"`
}

// Explored is the scenario's explore, and what came of it.
type Explored struct {
	Order       string  `json:"order"`
	Preemptions int     `json:"preemptions"` // as many as possible
	Preempted   uint64  `json:"preempted"`   // as many as were
	MaxPauseMS  float64 `json:"max_pause_ms"`
	Horizon     int     `json:"horizon"`   // decisions
	Decisions   uint64  `json:"decisions"` // of the run
}

// Bug is a planted bug, and how often it misbehaved.
type Bug struct {
	Kind string `json:"kind"`
	// Strikes counts how often it misbehaved, Occasions how often it could
	// have; neither is known of a run that was killed.
	Strikes   uint64 `json:"strikes"`
	Occasions uint64 `json:"occasions"`
	Counted   bool   `json:"counted"`
}

// String says how often it struck.
func (b *Bug) String() string {
	return fmt.Sprintf("it struck %d times on %d occasions", b.Strikes, b.Occasions)
}

// Expectation is something that the scenario expects, and whether it was so.
type Expectation struct {
	Name     string  `json:"name"` // the measure
	Expected string  `json:"expected"`
	Verdict  Verdict `json:"verdict"`
	Detail   string  `json:"detail"`
}

// Fault sums up one kind of fault on one kind of target.
type Fault struct {
	Kind   string `json:"kind"`
	Target string `json:"target"`
	// Forever says that these never ended: the target stayed dead.
	Forever bool `json:"forever,omitempty"`
	// Injected counts how often it was begun, Effect how often it really did
	// something: ended a process, dropped or delayed a message.
	Injected int `json:"injected"`
	Effect   int `json:"effect"`
	// Skipped counts those that were due and never began, MaxLateSeconds is by
	// how much one began later than planned at most. The reasons say how many
	// were skipped, or late, because of what.
	Skipped        int            `json:"skipped"`
	SkippedReasons map[string]int `json:"skipped_reasons,omitempty"`
	MaxLateSeconds float64        `json:"max_late_seconds"`
	LateReasons    map[string]int `json:"late_reasons,omitempty"`
	Effects        world.Effect   `json:"effects"` // in total
}

// Operator sums up the scenario's actions.
type Operator struct {
	Actions  int `json:"actions"` // that the scenario has
	Accepted int `json:"accepted"`
	// MaxLateSeconds is by how much one was accepted later than planned at most.
	MaxLateSeconds float64 `json:"max_late_seconds"`
	// Failed says what was not accepted, and why.
	Failed string `json:"failed,omitempty"`
}

// Check is one thing that was judged.
type Check struct {
	Name    string  `json:"name"` // the check's key
	Verdict Verdict `json:"verdict"`
	Detail  string  `json:"detail"` // one line, with the facts
	// Measured says that its settings set no limit: a pass only says what was
	// found.
	Measured bool `json:"measured,omitempty"`
	// Cluster, Key and Operations say where a violation of linearizability is.
	Cluster    uint64 `json:"cluster,omitempty"`
	Key        string `json:"key,omitempty"`
	Operations Core   `json:"operations,omitempty"`
}

// Core is the smallest set of operations found that cannot be ordered. In JSON
// its operations are as in a history.
type Core []history.Op

// MarshalJSON implements json.Marshaler.
func (c Core) MarshalJSON() ([]byte, error) {
	lines := make([]json.RawMessage, len(c))
	for i := range c {
		line, err := c[i].AppendJSON(nil)
		if err != nil {
			return nil, err
		}
		lines[i] = bytes.TrimSpace(line)
	}
	return json.Marshal(lines)
}

// UnmarshalJSON implements json.Unmarshaler.
func (c *Core) UnmarshalJSON(b []byte) error {
	var lines []json.RawMessage
	if err := json.Unmarshal(b, &lines); err != nil {
		return err
	}
	*c = make(Core, len(lines))
	for i, line := range lines {
		op, err := history.ParseJSON(line)
		if err != nil {
			return err
		}
		(*c)[i] = op
	}
	return nil
}

// Repair sums up how Raft clusters became whole again. A repair lasts from the
// moment a cluster lost a member for good until it had its full number of
// running voters again.
type Repair struct {
	// Count counts repairs by other members; a cluster may have several.
	Count                int     `json:"count"`
	P50Seconds           float64 `json:"p50_seconds"`
	MaxSeconds           float64 `json:"max_seconds"`
	MaxWriteStallSeconds float64 `json:"max_write_stall_seconds"`
	// MaxExcusedStallSeconds is the longest write stall during at least half of
	// which the cluster had no quorum; those are not in MaxWriteStallSeconds.
	MaxExcusedStallSeconds float64 `json:"max_excused_stall_seconds"`
	// MaxOutageSeconds is the longest time that a cluster had no majority of
	// running voters.
	MaxOutageSeconds float64 `json:"max_outage_seconds"`
	// ReplacementStallSeconds is the longest time that a cluster completed no
	// write, though asked through hosts without a fault, while one of its
	// members was being replaced and no fault was at work but the death of a
	// host some time before. 0: there was no such time.
	ReplacementStallSeconds float64 `json:"replacement_stall_seconds"`
	// Restored counts how often a cluster became whole again because its own
	// members came back.
	Restored int `json:"restored"`
	// Moved counts how often a cluster got other members though none had failed.
	Moved int `json:"moved"`
}

// Activity counts what Drummer asked NodeHosts to do, by kind of request, as
// its own event log says.
type Activity map[string]int

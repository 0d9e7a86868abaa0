// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"bytes"
	"encoding/json"
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

// Exit codes of all commands that run or check.
const (
	ExitPass         = 0
	ExitViolation    = 1
	ExitInconclusive = 2
	ExitUsage        = 64
	ExitInternal     = 70
)

// ExitCode is the process exit code for a verdict.
func ExitCode(v Verdict) int {
	switch v {
	case Pass:
		return ExitPass
	case Violation:
		return ExitViolation
	}
	return ExitInconclusive
}

// Worse returns the graver of two verdicts: a violation is certain whatever
// else is unknown.
func Worse(v, o Verdict) Verdict {
	if v == Violation || o == Violation {
		return Violation
	}
	if v == Inconclusive || o == Inconclusive {
		return Inconclusive
	}
	return Pass
}

// Result is a run's result.json. Seconds are on the run's own clock, virtual
// or real, unless the name says wall.
type Result struct {
	Verdict        Verdict  `json:"verdict"`
	Scenario       string   `json:"scenario"`
	Seed           uint64   `json:"seed"`
	World          string   `json:"world"`
	Clock          string   `json:"clock"`
	VirtualSeconds float64  `json:"virtual_seconds"`
	WallSeconds    float64  `json:"wall_seconds"`
	Compression    float64  `json:"compression"` // virtual/wall, judging included
	Clusters       int      `json:"clusters"`
	NodeHosts      int      `json:"nodehosts"`
	Drummers       int      `json:"drummers"`
	Ops            Ops      `json:"ops"`
	Faults         []Fault  `json:"faults"`
	Checks         []Check  `json:"checks"`
	Repair         Repair   `json:"repair"`
	Drummer        Activity `json:"drummer_activity"`
	Reproduce      string   `json:"reproduce"`
	Dir            string   `json:"dir"`
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
}

// Fault sums up one kind of fault on one kind of target.
type Fault struct {
	Kind   string `json:"kind"`
	Target string `json:"target"`
	// Forever says that these never ended: the target stayed dead.
	Forever bool `json:"forever,omitempty"`
	// Injected counts how often it was begun, Effect how often it really did
	// something: ended a process, dropped or delayed a message.
	Injected int          `json:"injected"`
	Effect   int          `json:"effect"`
	Effects  world.Effect `json:"effects"` // in total
}

// Check is one thing that was judged.
type Check struct {
	Name    string  `json:"name"`
	Verdict Verdict `json:"verdict"`
	Detail  string  `json:"detail"` // one line, with the facts
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
	Count                int     `json:"count"`
	P50Seconds           float64 `json:"p50_seconds"`
	MaxSeconds           float64 `json:"max_seconds"`
	MaxWriteStallSeconds float64 `json:"max_write_stall_seconds"`
	// ReplacementStallSeconds is the longest time that a cluster whose leader
	// stayed in office completed no write, though asked through hosts without
	// a fault, while one of its members was being replaced and no other fault
	// was at work. 0: there was no such time.
	ReplacementStallSeconds float64 `json:"replacement_stall_seconds"`
	// Restored counts clusters whose own members came back.
	Restored int `json:"restored"`
	// Moved counts clusters that got other members though none had failed.
	Moved int `json:"moved"`
}

// Activity counts what Drummer asked NodeHosts to do, by kind of request, as
// its own event log tells.
type Activity map[string]int

// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// Verdict is what is known about a history.
type Verdict string

const (
	// OK: an order exists that explains every answer.
	OK Verdict = "ok"
	// Violation: no such order exists.
	Violation Verdict = "violation"
	// Unknown: the search gave up.
	Unknown Verdict = "unknown"
)

// The engines that decide.
const (
	EngineAuto      = "auto"
	EngineNone      = "none" // no operation says anything
	EngineZones     = "zones"
	EngineSearch    = "search"
	EnginePorcupine = "porcupine"
)

// Engines can be asked for in Options.
var Engines = []string{EngineAuto, EngineZones, EngineSearch, EnginePorcupine}

// Options bound and steer a check. The zero value is the default.
type Options struct {
	// Model defaults to Auto.
	Model Model
	// Engine forces an engine; EngineZones answers Unknown outside its
	// fragment. The default is EngineAuto: for each key the best one.
	Engine string
	// Timeout bounds the general searches together, by package time's clock;
	// 0 means one minute, a negative value no limit. Inside a synctest bubble
	// the clock stands still while a search computes: there Memory bounds it.
	Timeout time.Duration
	// Memory bounds what the general search of a key may hold, in bytes; 0
	// means 1 GiB.
	Memory int64
	// Certify also produces, and verifies, an order for every key that is OK.
	Certify bool
	// NoCore leaves out the search for a small core of a violation and its
	// explanation.
	NoCore bool
}

// KeyResult is the judgement on one key (or other part) of a history.
type KeyResult struct {
	Key     string
	Verdict Verdict
	Engine  string
	Ops     int
}

// Result is the judgement on a history.
type Result struct {
	Verdict Verdict
	// Engine is the one that decided, or the names of all that did, joined
	// by "+".
	Engine string
	// Ops counts the operations given; Checked those that say anything.
	Ops, Checked int
	Duration     time.Duration
	// PerKey holds a result for each key in the order in which keys first
	// appear.
	PerKey []KeyResult
	// Core is, for a violation, a small set of operations of one key that
	// can't be ordered, by time of call.
	Core []history.Op
	// Explanation is a sentence for people: why it is a violation, or what
	// made the search give up.
	Explanation string
	// Orders holds, if Certify was asked for, for every key that is OK the
	// positions of its operations (in the slice given) in an order that
	// explains them.
	Orders map[string][]int
}

// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/model"
)

// Verdict is what is known about a history.
type Verdict = model.Verdict

// The verdicts; see package model.
const (
	OK        = model.OK
	Violation = model.Violation
	Unknown   = model.Unknown
)

// The engines that decide.
const (
	Auto      = "auto" // for each key the best one
	Zones     = "zones"
	Search    = "search"
	Porcupine = "porcupine"
	None      = "none" // of a result only: no operation constrains anything
)

// Engines can be asked for in Options.
var Engines = []string{Auto, Zones, Search, Porcupine}

// Options bound and steer a check. The zero value is the default.
type Options struct {
	// Model defaults to model.Auto.
	Model model.Model
	// Engine forces an engine; Zones answers Unknown outside its fragment. The
	// default is Auto.
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

const (
	defaultTimeout = time.Minute
	defaultMemory  = 1 << 30
)

func (o Options) withDefaults() Options {
	if o.Model == nil {
		o.Model = model.Auto
	}
	if o.Engine == "" {
		o.Engine = Auto
	}
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	if o.Memory == 0 {
		o.Memory = defaultMemory
	}
	return o
}

func (o *Options) validate() error {
	if !slices.Contains(Engines, o.Engine) {
		return fmt.Errorf("there is no engine %q, only %s", o.Engine, strings.Join(Engines, ", "))
	}
	return nil
}

// KeyResult is the judgement on one key (or other part) of a history.
type KeyResult struct {
	Key     string
	Verdict Verdict
	Engine  string
	Ops     int // those that constrain the order
}

// Result is the judgement on a history.
type Result struct {
	Verdict Verdict
	// Engine is the one that decided, or the names of all that did, joined
	// by "+".
	Engine string
	// Ops counts the operations given; Checked those that constrain the order.
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

// add takes in the verdict on one key: a violation beats unknown, which beats
// OK.
func (r *Result) add(k KeyResult) {
	r.PerKey = append(r.PerKey, k)
	r.Checked += k.Ops
	if k.Verdict == Violation || k.Verdict == Unknown && r.Verdict == OK {
		r.Verdict = k.Verdict
	}
}

// say sets the explanation, if nothing was said before.
func (r *Result) say(format string, args ...any) {
	if r.Explanation == "" {
		r.Explanation = fmt.Sprintf(format, args...)
	}
}

// certify verifies an order before it is handed out. An order that does not
// show what it should would be a mistake of the checker: no verdict then.
func (r *Result) certify(m model.Model, part string, ops []history.Op, order []int) Verdict {
	if err := model.Verify(m, part, ops, order); err != nil {
		r.Explanation = fmt.Sprintf("the order found for %q does not show that it is linearizable (%v); this is a mistake of the checker", part, err)
		return Unknown
	}
	if r.Orders == nil {
		r.Orders = make(map[string][]int)
	}
	r.Orders[part] = order
	return OK
}

// finish completes a result.
func (r *Result) finish(start time.Time) Result {
	names := make(map[string]bool)
	for _, k := range r.PerKey {
		names[k.Engine] = true
	}
	if len(names) == 0 {
		names[None] = true
	}
	r.Engine = strings.Join(slices.Sorted(maps.Keys(names)), "+")
	r.Duration = time.Since(start)
	return *r
}

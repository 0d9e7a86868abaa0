// SPDX-License-Identifier: Apache-2.0

package history

import (
	"encoding/json"
	"fmt"
	"math"
)

// Kind says what an operation asks for. The five kinds below are those of
// the key-value models; other models have kinds of their own.
type Kind string

// The kinds of operation of the key-value models.
const (
	Get    Kind = "get"
	Put    Kind = "put"
	Cas    Kind = "cas"
	Append Kind = "append"
	Delete Kind = "delete"
)

// The kinds of operation of the other models.
const (
	Add      Kind = "add"      // counter: add Value; set: add the element Value
	Remove   Kind = "remove"   // set: remove the element Value
	Transfer Kind = "transfer" // bank: Value is {"from","to","amount"} as JSON text
	Enqueue  Kind = "enqueue"  // queue: add the element Value
	Dequeue  Kind = "dequeue"  // queue: take the oldest element, which is Observed; Absent if there is none
	Txn      Kind = "txn"      // table: Value is the steps as JSON text, and Observed the same with what was read
)

// Stale reads what one replica holds at that moment, which may be older than what
// others hold. No model judges it: that it goes forward, and saw nothing of the future,
// is the check stale of package invariant.
const Stale Kind = "stale"

// The kinds of operation of a model that somebody brings along. Their Value and
// Observed are that model's own.
const (
	Command Kind = "command" // may change the state
	Query   Kind = "query"   // never does
)

// Outcome says what a client knows about the end of an operation.
type Outcome string

const (
	// OK: the operation took effect once, between its call and its return.
	OK Outcome = "ok"
	// Fail: the operation certainly had no effect.
	Fail Outcome = "fail"
	// Unknown: it may take effect at any time after its call, or never.
	Unknown Outcome = "unknown"
)

// Never is the return time of an operation that did not return.
const Never = math.MaxInt64

// Op is one operation of one client on one key.
type Op struct {
	Client int64
	Key    string
	Kind   Kind
	// Value is what is written or appended. A put of Absent is a delete.
	Value Value
	// Expected is what a cas compares with.
	Expected Value
	// Observed is what a get, or a failed cas, saw.
	Observed Value
	// Call and Return are nanoseconds, or any monotone integers, on one clock
	// for the whole history. Return has no meaning where Outcome is Unknown.
	Call, Return int64
	Outcome      Outcome

	// Refuted is set on a failed cas that was answered "the value is not the
	// expected one" without the value itself. A failed cas with neither
	// Refuted nor Observed says nothing about the value. Of a transfer it says that
	// the bank refused it: that account did not hold so much.
	Refuted bool
	// Writer optionally names this write, once in the history of its key. It
	// is stored with the value or the tombstone, so that an observation can
	// name the write that it saw even where values repeat.
	Writer string
	// ObservedWriter is the Writer of the state that the operation saw: for a
	// get or a failed cas the state it was answered with, for a write the
	// state that it replaced. "" means not stated; InitialWriter means the
	// state before the first write.
	ObservedWriter string

	// Cluster and Host say where the operation went; zero if not stated.
	Cluster uint64
	Host    string
	// By is the replica that answered; nil: not stated.
	By *Replica
	// Session and Seq name a proposal under a client session, for the
	// exactly-once check; empty if not stated.
	Session string
	Seq     uint64

	// ID is given by a Recorder, from 1; 0 if the history states none.
	ID uint64
	// Extra holds the fields of other tools by name; they are kept.
	Extra map[string]json.RawMessage
}

// Replica says which replica answered an operation, and how far it was then, as
// far as that is stated: a field that is zero is not.
type Replica struct {
	// Host is where it ran. It need not be the Host of the operation, which may
	// have been sent on to another one.
	Host string
	Node uint64 // its NodeID
	Term uint64 // the Raft term that it was in
	// Applied is the index of the last entry that its state machine had applied.
	// One that is not told indexes counts updates instead.
	Applied uint64
}

// InitialWriter is the ObservedWriter of an operation that saw the state
// before the first write.
const InitialWriter = "initial"

// answeredBy returns By, made if need be.
func (o *Op) answeredBy() *Replica {
	if o.By == nil {
		o.By = new(Replica)
	}
	return o.By
}

// End returns the time by which the operation is over: Return, or Never.
func (o *Op) End() int64 {
	if o.Outcome == Unknown {
		return Never
	}
	return o.Return
}

// trailField is the name of the trail in Extra.
const trailField = "trail"

// Trail names the writes before ObservedWriter, the newest first, as far as the history
// states them; InitialWriter at its end says that there were no more.
func (o *Op) Trail() []string {
	var trail []string
	if text, there := o.Extra[trailField]; !there || json.Unmarshal(text, &trail) != nil {
		return nil
	}
	return trail
}

func (o *Op) setTrail(trail []string) {
	if len(trail) == 0 {
		return
	}
	text, _ := json.Marshal(trail) // texts always marshal
	o.Extra = map[string]json.RawMessage{trailField: text}
}

// Clone returns a copy with texts of its own, all in one piece of memory. Extra
// is shared.
func (o *Op) Clone() Op {
	c := *o
	texts := [...]*string{&c.Key, &c.Value.s, &c.Expected.s, &c.Observed.s, &c.Writer, &c.ObservedWriter, &c.Host, &c.Session, new(string)}
	if c.By != nil {
		by := *c.By
		c.By, texts[len(texts)-1] = &by, &by.Host
	}
	size := 0
	for _, t := range texts {
		size += len(*t)
	}
	b := make([]byte, 0, size)
	for _, t := range texts {
		n := len(b)
		b = append(b, *t...)
		*t = borrow(b[n:len(b):len(b)])
	}
	return c
}

// OfKey returns the operations on a key, in their order.
func OfKey(ops []Op, key string) []Op {
	var of []Op
	for i := range ops {
		if ops[i].Key == key {
			of = append(of, ops[i])
		}
	}
	return of
}

// Mutates reports whether operations of this kind can change state.
func (k Kind) Mutates() bool { return k != Get && k != Query && k != Stale }

// Validate returns an error for an operation that contradicts itself or
// lacks what its kind needs. It knows the key-value kinds and leaves others
// to their model.
func (o *Op) Validate() error {
	if o.Call == math.MinInt64 {
		return fmt.Errorf("the operation is called at %d, which stands for the beginning of time", o.Call)
	}
	switch o.Outcome {
	case OK, Fail:
		if o.Return < o.Call {
			return fmt.Errorf("the operation returns at %d, before its call at %d", o.Return, o.Call)
		}
		if o.Return == Never {
			return fmt.Errorf("the operation returns at %d, which stands for never; its outcome is %s", o.Return, o.Outcome)
		}
	case Unknown:
	default:
		return fmt.Errorf("outcome %q is none of ok, fail, unknown", o.Outcome)
	}
	return o.validateValues()
}

func (o *Op) validateValues() error {
	switch o.Kind {
	case Get, Stale:
		if o.Outcome == OK && !o.Observed.Stated() {
			return fmt.Errorf("a get with outcome ok needs \"observed\" (null if the key holds nothing)")
		}
	case Put, Append:
		if !o.Value.Stated() {
			return fmt.Errorf("a %s needs \"value\"", o.Kind)
		}
	case Cas:
		if !o.Value.Stated() || !o.Expected.Stated() {
			return fmt.Errorf("a cas needs \"expected\" and \"value\"")
		}
		if o.Refuted && o.Outcome == OK {
			return fmt.Errorf("a cas with outcome ok can't be \"refuted\"")
		}
	case Transfer:
		if o.Refuted && o.Outcome != Fail {
			return fmt.Errorf("a transfer that is \"refuted\" has failed")
		}
	case "":
		return fmt.Errorf("the operation has no \"op\"")
	}
	return nil
}

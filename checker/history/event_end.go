// SPDX-License-Identifier: Apache-2.0

package history

import (
	"fmt"
	"strings"
)

// finish takes in how the operation ended. What the event repeats of the
// operation's beginning has to be the same: a history that contradicts itself
// has no verdict.
func (o *opened) finish(e *event) error {
	if e.f != o.f {
		return fmt.Errorf("process %d ends a :%s, but began a :%s on line %d", e.process, e.f, o.f, o.line)
	}
	value, stated, err := o.answer(e)
	if err != nil {
		return err
	}
	switch e.typ {
	case "ok":
		return o.ok(e, value, stated)
	case "fail":
		return o.fail(e, value, stated)
	case "info":
		o.op.Outcome, o.op.Return = Unknown, 0
		return nil
	}
	return fmt.Errorf(":type :%s is none of :invoke :ok :fail :info", e.typ)
}

// answer returns the event's value without its key, which it compares with the
// key of the beginning. An event that ends an operation may leave out its key;
// only after :ok it has to say [key value] where the beginning did.
func (o *opened) answer(e *event) (value form, stated bool, err error) {
	key, value, stated := e.key, e.value, e.valued
	keyed := e.keyed
	if o.inValue && !keyed && stated {
		if key, value, keyed = independent(o.op.Kind, e.value); !keyed {
			if e.typ == "ok" {
				return form{}, false, fmt.Errorf("the operation began on line %d with a :value of [key value], and ends with one of another form", o.line)
			}
			return form{}, false, nil // a placeholder
		}
	}
	if !keyed {
		return value, stated, nil
	}
	if was, err := key.value(); err != nil || was != o.key {
		return form{}, false, fmt.Errorf("the operation began on line %d with key %s, and ends with key %s", o.line, o.key, key.String())
	}
	return value, stated, nil
}

func (o *opened) ok(e *event, value form, stated bool) (err error) {
	o.op.Outcome = OK
	o.op.ObservedWriter = e.observedWriter
	if o.op.Kind != Get {
		return o.repeats(value, stated)
	}
	if !stated {
		return fmt.Errorf("a :%s that is :ok needs a :value (nil if it found nothing)", o.f)
	}
	o.op.Observed, err = o.value(value)
	return err
}

// fail takes in that the operation had no effect. In place of its value there
// may be a placeholder: nil, or a keyword that says why, such as :timed-out.
func (o *opened) fail(e *event, value form, stated bool) (err error) {
	o.op.Outcome = Fail
	if o.op.Kind == Get {
		return nil
	}
	why := e.failure
	if value.kind == ednKeyword {
		why, stated = value.s, false
	}
	if err := o.repeats(value, stated && value.kind != ednNil); err != nil || o.op.Kind != Cas {
		return err
	}
	o.op.ObservedWriter = e.observedWriter
	switch {
	case e.hasObserved:
		o.op.Observed, err = e.observed.value()
	case e.saysRefuted:
		o.op.Refuted = e.refuted
	default:
		o.op.Refuted = why == "" || meansDiffered(why)
	}
	return err
}

// repeats returns an error if the value that a write ended with is not the one
// it began with.
func (o *opened) repeats(value form, stated bool) error {
	if !stated {
		return nil
	}
	expected, written, err := o.written(value, true)
	if err != nil {
		return err
	}
	if expected != o.op.Expected || written != o.op.Value {
		began := form{kind: ednVector, items: []form{o.op.Expected.form(), o.op.Value.form()}}
		if o.op.Kind != Cas {
			began = o.op.Value.form()
		}
		return fmt.Errorf("the :%s began on line %d with the value %s, and ends with %s", o.f, o.line, began.String(), value.String())
	}
	return nil
}

// meansDiffered reports whether the reason for which a cas failed is that the
// value was compared and is another one. Any other reason (a refused
// connection, no leader) says nothing about the value.
func meansDiffered(why string) bool {
	switch strings.NewReplacer(" ", "-", "_", "-").Replace(strings.ToLower(why)) {
	case "mismatch", "cas-mismatch", "value-mismatch", "compare-failed", "precondition-failed", "did-not-succeed":
		return true
	}
	return false
}

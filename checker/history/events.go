// SPDX-License-Identifier: Apache-2.0

package history

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// event is one line of the event formats: an operation begins or ends.
type event struct {
	process int64
	typ     string // invoke, ok, fail, info
	f       string
	value   form
	valued  bool // the value is stated
	key     form
	keyed   bool
	failure string // why it failed, as the event says; "" if it does not
	index   int64  // the number that the event states; -1 if it states none
	// own fields of this package's EDN, which other tools don't write
	writer, observedWriter string
	observed               form
	hasObserved            bool
	refuted, saysRefuted   bool // the second: the first is stated
	exact                  bool
	line                   int
}

// pairing joins the events of processes into operations. Time is the number
// of the event, so that no two events touch.
type pairing struct {
	open map[int64]*opened
	now  int64
	// index is the last number that an event stated; -1 before the first.
	index int64
	// textKeys and otherKeys note which kinds of keys were seen: the key 1
	// and the key "1" would be one key of a history.
	textKeys, otherKeys bool
	// inValue and bare note whether operations with their key in the value
	// were seen, and operations without: [1 5] can't be both.
	inValue, bare bool
	// skipped holds the processes whose operation was wrong: its end is not
	// another mistake.
	skipped map[int64]bool
}

// opened is an operation that has begun.
type opened struct {
	op      Op
	f       string
	key     Value // as it was given; not stated if it was not
	inValue bool  // the key was given as [key value]
	plain   bool  // the dialect in which an absent key reads as ""
	line    int
}

func newPairing() *pairing {
	return &pairing{open: make(map[int64]*opened), index: -1, skipped: make(map[int64]bool)}
}

// add takes the next event; done says that op is a finished operation. After
// an error the process begins anew with its next operation.
func (p *pairing) add(e *event) (op Op, done bool, err error) {
	if op, done, err = p.take(e); err != nil {
		delete(p.open, e.process)
		p.skipped[e.process] = true
	} else if e.typ == "invoke" {
		delete(p.skipped, e.process)
	}
	return op, done, err
}

func (p *pairing) take(e *event) (op Op, done bool, err error) {
	p.now++
	if err := p.inOrder(e); err != nil {
		return Op{}, false, err
	}
	if e.typ == "invoke" {
		return Op{}, false, p.invoke(e)
	}
	o, ok := p.open[e.process]
	if !ok && p.skipped[e.process] {
		return Op{}, false, nil
	}
	if !ok {
		return Op{}, false, fmt.Errorf("process %d ends an operation (:%s :%s) that it did not begin", e.process, e.typ, e.f)
	}
	kind, err := kindOf(e.f)
	if err != nil {
		return Op{}, false, err
	}
	if kind != o.op.Kind {
		return Op{}, false, fmt.Errorf("process %d ends a %s, but began a %s on line %d", e.process, kind, o.op.Kind, o.line)
	}
	delete(p.open, e.process)
	o.op.Return = p.now
	if err := o.finish(e); err != nil {
		return Op{}, false, err
	}
	return o.op, true, o.op.Validate()
}

// inOrder refuses events whose own numbers contradict the order of the lines,
// which is what counts here.
func (p *pairing) inOrder(e *event) error {
	if e.index < 0 {
		return nil
	}
	if e.index <= p.index {
		return fmt.Errorf("the event has :index %d, but one before it has %d: events come in their order", e.index, p.index)
	}
	p.index = e.index
	return nil
}

func kindOf(f string) (Kind, error) {
	switch f {
	case "read", "get":
		return Get, nil
	case "write", "put":
		return Put, nil
	case "cas":
		return Cas, nil
	case "append":
		return Append, nil
	case "delete":
		return Delete, nil
	}
	return "", fmt.Errorf(":f :%s is none of :read :write :get :put :cas :append :delete", f)
}

func (p *pairing) invoke(e *event) error {
	if o, ok := p.open[e.process]; ok {
		return fmt.Errorf("process %d begins an operation while its operation of line %d is open", e.process, o.line)
	}
	kind, err := kindOf(e.f)
	if err != nil {
		return err
	}
	o := &opened{f: e.f, line: e.line, plain: e.f == "get" || e.f == "put" || e.f == "append" && !e.exact}
	o.op = Op{Client: e.process, Kind: kind, Call: p.now, Writer: e.writer}
	key, value := e.key, e.value
	if !e.keyed {
		key, value, o.inValue = independent(kind, value)
	}
	if e.keyed || o.inValue {
		if err := p.setKey(o, key); err != nil {
			return err
		}
	}
	if p.inValue, p.bare = p.inValue || o.inValue, p.bare || !o.inValue; p.inValue && p.bare {
		return errors.New("some operations have their key in the value, as [key value], and some don't")
	}
	if o.op.Expected, o.op.Value, err = o.written(value, e.valued); err != nil {
		return err
	}
	p.open[e.process] = o
	return nil
}

// independent takes apart the [key value] of jepsen.independent.
func independent(kind Kind, value form) (key, rest form, keyed bool) {
	if value.kind != ednVector || len(value.items) != 2 {
		return form{}, value, false
	}
	if kind == Cas && value.items[1].kind != ednVector {
		return form{}, value, false
	}
	return value.items[0], value.items[1], true
}

func (p *pairing) setKey(o *opened, key form) error {
	v, err := key.value()
	if err != nil || v.IsAbsent() {
		return errors.New("a key is a string, an integer, true or false")
	}
	p.textKeys = p.textKeys || v.IsText()
	p.otherKeys = p.otherKeys || !v.IsText()
	if p.textKeys && p.otherKeys {
		return fmt.Errorf("the key %s is of another type than the keys before: keys are all strings, or none is", v)
	}
	o.key, o.op.Key = v, v.Text()
	return nil
}

// written reads what an operation is asked to write, and, for a cas, what it
// compares with.
func (o *opened) written(f form, stated bool) (expected, value Value, err error) {
	switch o.op.Kind {
	case Put, Append:
		if !stated {
			return Value{}, Value{}, fmt.Errorf("a :%s needs a :value", o.f)
		}
		value, err = o.value(f)
	case Cas:
		if f.kind != ednVector || len(f.items) != 2 {
			return Value{}, Value{}, errors.New("the value of a :cas is a vector of two: [expected new]")
		}
		if expected, err = o.value(f.items[0]); err == nil {
			value, err = o.value(f.items[1])
		}
	default:
		if f.kind != ednNil {
			err = fmt.Errorf("a :%s begins with :value nil; the key has a :key of its own, or stands in [key nil]", o.f)
		}
	}
	return expected, value, err
}

func (o *opened) value(f form) (Value, error) {
	v, err := f.value()
	if err == nil && o.plain && v == String("") {
		v = Absent
	}
	return v, err
}

// rest returns what is open at the end: operations of unknown outcome.
func (p *pairing) rest() []Op {
	var ops []Op
	for _, process := range slices.Sorted(maps.Keys(p.open)) {
		op := p.open[process].op
		op.Outcome = Unknown
		ops = append(ops, op)
	}
	clear(p.open)
	return ops
}

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
	key     form
	keyed   bool
	// own fields of this package's EDN, which other tools don't write
	writer, observedWriter string
	observed               form
	hasObserved            bool
	notRefuted             bool
	exact                  bool
	line                   int
}

// pairing joins the events of processes into operations. Time is the number
// of the event, so that no two events touch.
type pairing struct {
	open map[int64]*opened
	now  int64
	// textKeys and otherKeys note which kinds of keys were seen: the key 1
	// and the key "1" would be one key of a history.
	textKeys, otherKeys bool
}

type opened struct {
	op    Op
	plain bool // the dialect in which an absent key reads as ""
	line  int
}

func newPairing() *pairing { return &pairing{open: make(map[int64]*opened)} }

// add takes the next event; done says that op is a finished operation.
func (p *pairing) add(e *event) (op Op, done bool, err error) {
	p.now++
	if e.typ == "invoke" {
		return Op{}, false, p.invoke(e)
	}
	o, ok := p.open[e.process]
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
	if err := p.finish(o, e); err != nil {
		return Op{}, false, err
	}
	return o.op, true, o.op.Validate()
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
	o := &opened{line: e.line, plain: e.f == "get" || e.f == "put" || e.f == "append" && !e.exact}
	o.op = Op{Client: e.process, Kind: kind, Call: p.now, Writer: e.writer}
	value := e.value
	if !e.keyed {
		e.key, value, e.keyed = independent(kind, value)
	}
	if e.keyed {
		if err := p.setKey(o, e.key); err != nil {
			return err
		}
	}
	if err := o.setWritten(value); err != nil {
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
	o.op.Key = v.Text()
	return nil
}

func (o *opened) setWritten(value form) (err error) {
	switch o.op.Kind {
	case Put, Append:
		o.op.Value, err = o.value(value)
	case Cas:
		if value.kind != ednVector || len(value.items) != 2 {
			return errors.New("the value of a :cas is a vector of two: [expected new]")
		}
		if o.op.Expected, err = o.value(value.items[0]); err == nil {
			o.op.Value, err = o.value(value.items[1])
		}
	}
	return err
}

func (o *opened) value(f form) (Value, error) {
	v, err := f.value()
	if err == nil && o.plain && v == String("") {
		v = Absent
	}
	return v, err
}

func (p *pairing) finish(o *opened, e *event) (err error) {
	o.op.Return = p.now
	switch e.typ {
	case "ok":
		o.op.Outcome = OK
		o.op.ObservedWriter = e.observedWriter
		if o.op.Kind == Get {
			value := e.value
			if !e.keyed && value.kind == ednVector {
				_, value, _ = independent(Get, value)
			}
			o.op.Observed, err = o.value(value)
		}
	case "fail":
		o.op.Outcome = Fail
		if o.op.Kind == Cas {
			o.op.Refuted = !e.notRefuted && !e.hasObserved
			o.op.ObservedWriter = e.observedWriter
			if e.hasObserved {
				o.op.Observed, err = e.observed.value()
			}
		}
	case "info":
		o.op.Outcome, o.op.Return = Unknown, 0
	default:
		return fmt.Errorf(":type :%s is none of :invoke :ok :fail :info", e.typ)
	}
	return err
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

// SPDX-License-Identifier: Apache-2.0

package history

import (
	"fmt"
	"io"
	"strconv"
)

// edn is the Source of a history of EDN maps, one an event: in one vector or list, or
// one after the other. Memory is bounded by the number of open operations.
// Events of processes that are keywords (:nemesis) are skipped. What contradicts
// itself is refused: a key or a value that is not the one the operation began
// with, numbers (:index) that don't follow the lines, a key of a map given
// twice.
//
// The keyed dialect with :get, :put and :append reads an absent key as "": in
// it "" and nil both become Absent.
type edn struct {
	in      *ednReader
	pair    *pairing
	closer  byte // what ends the collection around the events; 0 if there is none
	started bool
	ended   bool
	rest    []Op
}

func (e *edn) Next() (Op, error) {
	for !e.ended {
		f, err := e.nextForm()
		if err == io.EOF {
			e.ended = true
			e.rest = e.pair.rest()
			break
		}
		if err != nil {
			e.ended = true // there is no telling where the next event begins
			return Op{}, err
		}
		ev, skip, err := ednEvent(&f)
		if err != nil {
			return Op{}, &InputError{e.in.file, e.in.line, err}
		}
		if skip {
			continue
		}
		ev.line = e.in.line
		op, done, err := e.pair.add(ev)
		if err != nil {
			return Op{}, &InputError{e.in.file, e.in.line, err}
		}
		if done {
			return op, nil
		}
	}
	if len(e.rest) == 0 {
		return Op{}, io.EOF
	}
	op := e.rest[0]
	e.rest = e.rest[1:]
	return op, nil
}

// nextForm returns the next event's form and handles the collection around
// the events.
func (e *edn) nextForm() (form, error) {
	if !e.started {
		if err := e.in.skipMark(); err != nil {
			return form{}, e.in.fail(err)
		}
	}
	for {
		c, err := e.in.peek(0)
		if err == io.EOF {
			if e.closer != 0 {
				return form{}, e.in.errorf("the input ends without the closing %q", e.closer)
			}
			return form{}, io.EOF
		}
		if err != nil {
			return form{}, e.in.fail(err)
		}
		switch {
		case e.closer == 0 && !e.started && (c == '[' || c == '('):
			e.closer = map[byte]byte{'[': ']', '(': ')'}[c]
		case e.closer != 0 && c == e.closer:
			e.closer = 0
		default:
			e.started = true
			return e.in.form(0)
		}
		e.started = true
		if _, err := e.in.r.ReadByte(); err != nil {
			return form{}, e.in.fail(err)
		}
	}
}

func ednEvent(f *form) (ev *event, skip bool, err error) {
	if f.kind != ednMap {
		return nil, false, fmt.Errorf("an event is a map such as {:process 0, :type :invoke, :f :read, :value nil}")
	}
	process, ok := f.get("process")
	if !ok {
		return nil, false, fmt.Errorf("the event has no :process")
	}
	ev = &event{index: -1}
	for _, want := range []struct {
		name string
		to   *string
	}{{"type", &ev.typ}, {"f", &ev.f}} {
		k, ok := f.get(want.name)
		if ok && k.kind == ednKeyword {
			*want.to = k.s
		} else if process.kind != ednKeyword {
			return nil, false, fmt.Errorf("the event needs a keyword as its :%s", want.name)
		}
	}
	if process.kind == ednKeyword {
		if _, err := kindOf(ev.f); err == nil {
			return nil, false, fmt.Errorf("the process :%s has an operation (:%s): only processes that are numbers may", process.s, ev.f)
		}
		return nil, true, nil
	}
	if process.kind != ednInt {
		return nil, false, fmt.Errorf(":process %s is neither a number nor a keyword such as :nemesis", process.String())
	}
	if ev.process, err = strconv.ParseInt(process.s, 10, 64); err != nil {
		return nil, false, fmt.Errorf(":process %s is beyond 64 bits", process.s)
	}
	ev.value, ev.valued = f.get("value")
	ev.key, ev.keyed = f.get("key")
	ev.observed, ev.hasObserved = f.get("observed")
	if why, ok := f.get("error"); ok && why.kind != ednNil {
		ev.failure = why.reason()
	}
	if n, ok := f.get("index"); ok && n.kind == ednInt {
		if ev.index, err = strconv.ParseInt(n.s, 10, 64); err != nil {
			return nil, false, fmt.Errorf(":index %s is beyond 64 bits", n.s)
		}
	}
	return ev, false, ev.own(f)
}

// own reads the fields that only this package writes.
func (ev *event) own(f *form) error {
	for _, want := range []struct {
		name string
		to   *string
	}{{"writer", &ev.writer}, {"observed-writer", &ev.observedWriter}} {
		w, ok := f.get(want.name)
		if ok && w.kind != ednString {
			return fmt.Errorf(":%s %s is no string", want.name, w.String())
		}
		*want.to = w.s
	}
	r, ok := f.get("refuted")
	x, okay := f.get("exact")
	if ok && r.kind != ednBool || okay && x.kind != ednBool {
		return fmt.Errorf(":refuted and :exact are true or false")
	}
	ev.refuted, ev.saysRefuted, ev.exact = r.s == "true", ok, x.s == "true"
	return nil
}

// reason is what an :error says; not empty.
func (f *form) reason() string {
	switch f.kind {
	case ednKeyword, ednString:
		if f.s != "" {
			return f.s
		}
	}
	return f.String()
}

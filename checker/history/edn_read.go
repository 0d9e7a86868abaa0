// SPDX-License-Identifier: Apache-2.0

package history

import (
	"fmt"
	"io"
	"strconv"
)

// NewEDN reads a history of EDN maps, one an event: in one vector or list, or
// one after the other. Memory is bounded by the number of open operations.
// Events of processes that are no numbers (:nemesis) are skipped.
//
// The keyed dialect with :get, :put and :append reads an absent key as "": in
// it "" and nil both become Absent.
func NewEDN(name string, r io.Reader) Source {
	return &edn{in: newEDNReader(name, r), pair: newPairing()}
}

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
	for {
		c, err := e.in.peek()
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
	if process.kind != ednInt {
		return nil, true, nil
	}
	ev = &event{}
	if ev.process, err = strconv.ParseInt(process.s, 10, 64); err != nil {
		return nil, false, fmt.Errorf(":process %s is beyond 64 bits", process.s)
	}
	for _, want := range []struct {
		name string
		to   *string
	}{{"type", &ev.typ}, {"f", &ev.f}} {
		k, ok := f.get(want.name)
		if !ok || k.kind != ednKeyword {
			return nil, false, fmt.Errorf("the event needs a keyword as its :%s", want.name)
		}
		*want.to = k.s
	}
	ev.value, _ = f.get("value")
	ev.key, ev.keyed = f.get("key")
	ev.observed, ev.hasObserved = f.get("observed")
	if w, ok := f.get("writer"); ok {
		ev.writer = w.s
	}
	if w, ok := f.get("observed-writer"); ok {
		ev.observedWriter = w.s
	}
	if r, ok := f.get("refuted"); ok && r.kind == ednBool {
		ev.notRefuted = r.s == "false"
	}
	if x, ok := f.get("exact"); ok && x.kind == ednBool {
		ev.exact = x.s == "true"
	}
	return ev, false, nil
}

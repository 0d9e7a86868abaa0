// SPDX-License-Identifier: Apache-2.0

package history

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// moment is the call or the return of an operation, in the order in which an
// event format has them.
type moment struct {
	time int64
	end  bool
	op   int
}

// moments orders the calls and returns of operations. At equal times calls
// come first: operations that touch are concurrent.
func moments(ops []Op) []moment {
	ms := make([]moment, 0, 2*len(ops))
	for i := range ops {
		ms = append(ms, moment{ops[i].Call, false, i}, moment{ops[i].End(), true, i})
	}
	slices.SortFunc(ms, func(a, b moment) int {
		switch {
		case a.time != b.time && a.time < b.time:
			return -1
		case a.time != b.time:
			return 1
		case a.end != b.end && b.end:
			return -1
		case a.end != b.end:
			return 1
		}
		return a.op - b.op
	})
	return ms
}

// processes gives each operation a process that has nothing else open: the
// client's number if it is free, else a fresh one. In the event formats a
// process does not go on after an operation of unknown outcome.
type processes struct {
	busy  map[int64]bool
	of    []int64
	fresh int64
}

func newProcesses(ops []Op) *processes {
	p := &processes{busy: make(map[int64]bool), of: make([]int64, len(ops))}
	for i := range ops {
		p.fresh = max(p.fresh, ops[i].Client+1)
	}
	return p
}

func (p *processes) begin(op int, client int64) int64 {
	if p.busy[client] {
		client = p.fresh
		p.fresh++
	}
	p.busy[client] = true
	p.of[op] = client
	return client
}

func (p *processes) end(op int) int64 {
	delete(p.busy, p.of[op])
	return p.of[op]
}

// writeEDN writes operations as EDN maps, one event a line. Times become the
// order of the lines; fields of other tools, hosts and sessions are lost.
func writeEDN(w io.Writer, ops []Op) error {
	procs := newProcesses(ops)
	var b []byte
	for _, m := range moments(ops) {
		op := &ops[m.op]
		if err := expressible(op); err != nil {
			return err
		}
		b = appendEDNEvent(b[:0], op, m, procs)
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	return nil
}

var eventNames = map[Kind]string{Get: "read", Put: "write", Cas: "cas", Append: "append", Delete: "delete"}

func expressible(op *Op) error {
	if eventNames[op.Kind] == "" {
		return fmt.Errorf("a %s can't be written in this format", op.Kind)
	}
	return nil
}

func appendEDNEvent(b []byte, op *Op, m moment, procs *processes) []byte {
	process, typ := int64(0), "invoke"
	if m.end {
		typ = map[Outcome]string{OK: "ok", Fail: "fail", Unknown: "info"}[op.Outcome]
		process = procs.end(m.op)
	} else {
		process = procs.begin(m.op, op.Client)
	}
	b = fmt.Appendf(b, "{:process %d, :type :%s, :f :%s", process, typ, eventNames[op.Kind])
	if op.Key != "" {
		b = appendEDNString(append(b, ", :key "...), op.Key)
	}
	b = append(b, ", :value "...)
	b = appendEventValue(b, op, m.end)
	if op.Kind == Append && op.Value == String("") {
		b = append(b, ", :exact true"...)
	}
	if !m.end && op.Writer != "" {
		b = appendEDNString(append(b, ", :writer "...), op.Writer)
	}
	if m.end && op.ObservedWriter != "" {
		b = appendEDNString(append(b, ", :observed-writer "...), op.ObservedWriter)
	}
	if m.end && op.Kind == Cas && op.Outcome == Fail {
		if op.Observed.Stated() {
			b = appendEDN(append(b, ", :observed "...), op.Observed)
		} else if !op.Refuted {
			b = append(b, ", :refuted false"...)
		}
	}
	return append(b, "}\n"...)
}

func appendEventValue(b []byte, op *Op, end bool) []byte {
	switch op.Kind {
	case Get:
		if !end {
			return append(b, "nil"...)
		}
		return appendEDN(b, op.Observed)
	case Cas:
		b = appendEDN(append(b, '['), op.Expected)
		b = appendEDN(append(b, ' '), op.Value)
		return append(b, ']')
	case Delete:
		return append(b, "nil"...)
	}
	return appendEDN(b, op.Value)
}

// writeJepsen writes the operations of one register in the form of a Jepsen
// log. It refuses what that form can't hold: several keys, appends, writer
// names. A failed cas that saw a value is written as a read of it.
func writeJepsen(w io.Writer, ops []Op) error {
	written := make([]Op, 0, len(ops))
	for i := range ops {
		op, expressed, err := jepsenOp(&ops[i])
		if err != nil {
			return err
		}
		if op.Key != ops[0].Key {
			return errors.New("a Jepsen log is of one register; this history has several keys")
		}
		if expressed {
			written = append(written, op)
		}
	}
	procs := newProcesses(written)
	var b []byte
	for _, m := range moments(written) {
		b = appendJepsenEvent(b[:0], &written[m.op], m, procs)
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	return nil
}

func jepsenOp(o *Op) (op Op, expressed bool, err error) {
	op = *o
	if op.ObservedWriter != "" {
		return op, false, errors.New("a Jepsen log can't hold which write was observed")
	}
	switch {
	case op.Kind == Append:
		return op, false, errors.New("a Jepsen log can't hold an append")
	case op.Kind == Delete:
		op.Kind, op.Value = Put, Absent
	case op.Kind == Cas && op.Outcome == Fail && op.Observed.Stated():
		if op.Observed == op.Expected {
			return op, false, fmt.Errorf("a Jepsen log can't hold a failed cas that saw %s, which it expected", op.Observed)
		}
		op.Kind, op.Outcome = Get, OK
	case op.Kind == Cas && op.Outcome == Fail && !op.Refuted:
		return op, false, nil
	}
	return op, true, expressible(&op)
}

func appendJepsenEvent(b []byte, op *Op, m moment, procs *processes) []byte {
	process, typ := int64(0), "invoke"
	if m.end {
		typ = map[Outcome]string{OK: "ok", Fail: "fail", Unknown: "info"}[op.Outcome]
		process = procs.end(m.op)
	} else {
		process = procs.begin(m.op, op.Client)
	}
	b = append(b, "INFO  jepsen.util - "...)
	b = strconv.AppendInt(b, process, 10)
	b = append(b, "\t:"...)
	b = append(b, typ...)
	b = append(b, "\t:"...)
	b = append(b, eventNames[op.Kind]...)
	b = append(b, '\t')
	if typ == "info" {
		return append(b, ":timed-out\n"...)
	}
	return append(appendEventValue(b, op, m.end), '\n')
}

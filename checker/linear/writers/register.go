// SPDX-License-Identifier: Apache-2.0

package writers

import (
	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// Named reports whether all operations name the writes that they saw, and those that
// took effect, or may have, themselves: then the names alone say in which order they
// were done, whatever the object is. An operation that is ok and no get leaves its own
// name, also where it changes nothing.
func Named(ops []history.Op) bool {
	for i := range ops {
		op := &ops[i]
		if op.Outcome != history.Unknown && op.ObservedWriter == "" || changes(op) && op.Writer == "" {
			return false
		}
	}
	return true
}

func changes(op *history.Op) bool { return op.Kind.Mutates() && op.Outcome != history.Fail }

// AsRegister returns what an operation on an object of any kind is on a register that
// holds the name of the last write.
func AsRegister(op history.Op) history.Op {
	op.Refuted, op.Expected = false, history.Value{}
	if changes(&op) {
		op.Kind, op.Value, op.Observed, op.Extra = history.Put, history.String(op.Writer), history.Value{}, nil
		return op
	}
	op.Kind, op.Writer, op.Value, op.Observed = history.Get, "", history.Value{}, history.String(op.ObservedWriter)
	if op.ObservedWriter == history.InitialWriter {
		op.Observed = history.Absent
	}
	if op.ObservedWriter != "" {
		op.Outcome = history.OK // it was refused, which is an answer
	}
	return op
}

// SPDX-License-Identifier: Apache-2.0

// Package reference is a key-value store as porcupine takes it, written apart
// from package model, so that a mistake would have to be made twice. Tests and
// benchmarks hold the engines against it.
package reference

import (
	"hash/maphash"
	"math"

	"github.com/anishathalye/porcupine"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

var seed = maphash.MakeSeed()

// Model is a key-value store as porcupine takes it, partitioned by key and
// hashed, over the operations that Operations returns.
func Model() porcupine.Model {
	return porcupine.Model{
		Partition: partition,
		Init:      func() any { return register{history.Absent, history.InitialWriter} },
		Step: func(state, in, _ any) (bool, any) {
			return does(state.(register), in.(*history.Op))
		},
		Hash: func(state any) uint64 { return maphash.Comparable(seed, state.(register)) },
	}
}

// Operations gives a history to porcupine, without what says nothing.
func Operations(ops []history.Op) []porcupine.Operation {
	out := make([]porcupine.Operation, 0, len(ops))
	for i := range ops {
		op := &ops[i]
		ret := op.Return
		switch {
		case op.Outcome == history.Unknown && op.Kind == history.Get:
			continue
		case op.Outcome == history.Unknown:
			ret = math.MaxInt64
		case op.Outcome == history.Fail && (op.Kind != history.Cas || !op.Refuted && !op.Observed.Stated()):
			continue
		}
		out = append(out, porcupine.Operation{Input: op, Call: op.Call, Return: ret})
	}
	return out
}

func partition(ops []porcupine.Operation) [][]porcupine.Operation {
	at := make(map[string]int)
	var parts [][]porcupine.Operation
	for _, o := range ops {
		key := o.Input.(*history.Op).Key
		n, ok := at[key]
		if !ok {
			n = len(parts)
			at[key] = n
			parts = append(parts, nil)
		}
		parts[n] = append(parts[n], o)
	}
	return parts
}

// register is what a key holds, and which write left it there.
type register struct {
	value history.Value
	by    string
}

func does(s register, op *history.Op) (bool, any) {
	known := op.Outcome != history.Unknown
	if known && op.ObservedWriter != "" && op.ObservedWriter != s.by {
		return false, s
	}
	if op.Kind == history.Get {
		return s.value == op.Observed, s
	}
	if op.Kind == history.Delete {
		return true, register{history.Absent, op.Writer}
	}
	if op.Kind == history.Put {
		return true, register{op.Value, op.Writer}
	}
	if op.Kind == history.Append {
		if op.Value.IsAbsent() {
			return true, register{s.value, op.Writer}
		}
		return true, register{history.String(s.value.Text() + op.Value.Text()), op.Writer}
	}
	same := s.value == op.Expected
	if op.Outcome == history.Fail {
		return !same && (!op.Observed.Stated() || s.value == op.Observed), s
	}
	if same {
		return true, register{op.Value, op.Writer}
	}
	return !known, s
}

// Linearizable asks porcupine whether a key-value history is linearizable, key
// by key and with hashed states. It may take very long.
func Linearizable(ops []history.Op) bool {
	return porcupine.CheckOperations(Model(), Operations(ops))
}

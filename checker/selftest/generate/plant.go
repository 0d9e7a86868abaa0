// SPDX-License-Identifier: Apache-2.0

package generate

import (
	"fmt"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// Plant names a violation that can be put into a history.
type Plant string

// The violations that can be planted.
const (
	StaleRead   Plant = "stale read"
	LostUpdate  Plant = "lost update"
	DirtyRead   Plant = "dirty read of a failed write"
	DoubleCas   Plant = "double-applied cas"
	FutureRead  Plant = "read from the future"
	Resurrected Plant = "resurrected delete"
)

// Plants holds them all.
var Plants = []Plant{StaleRead, LostUpdate, DirtyRead, DoubleCas, FutureRead, Resurrected}

// Planted makes the operations of a violation on a key of its own, from time t
// on: it is one whatever else the history holds. They belong at the end of a
// history whose times are below t, and without the last of them they are
// legal.
func Planted(p Plant, key string, t int64, named bool) []history.Op {
	op := func(i int, kind history.Kind) history.Op {
		return history.Op{Client: 900_000 + int64(i), Key: key, Kind: kind, Call: t + int64(10*i), Return: t + int64(10*i) + 5, Outcome: history.OK}
	}
	v := func(n int) history.Value { return history.String(fmt.Sprintf("planted-%d", n)) }
	put, put2, put3 := op(0, history.Put), op(1, history.Put), op(2, history.Put)
	put.Value, put2.Value, put3.Value = v(1), v(2), v(3)
	read, cas, cas2 := op(3, history.Get), op(3, history.Cas), op(4, history.Cas)
	cas.Expected, cas.Value, cas2.Expected, cas2.Value = v(1), v(4), v(1), v(5)
	var ops []history.Op
	switch p {
	case StaleRead:
		read.Observed = v(1)
		ops = []history.Op{put, put2, read}
	case LostUpdate:
		// Two increments of what put left, of which one is lost: the read
		// after both sees the first.
		cas2.Expected = v(4)
		late := op(6, history.Get)
		late.Observed = v(4)
		ops = []history.Op{put, cas, cas2, late}
	case DirtyRead:
		put2.Outcome = history.Fail
		read.Observed = v(2)
		ops = []history.Op{put, put2, read}
	case DoubleCas:
		ops = []history.Op{put, cas, cas2}
	case FutureRead:
		early := op(1, history.Get)
		early.Observed = v(3)
		ops = []history.Op{put, put3, early}
	case Resurrected:
		gone := op(1, history.Delete)
		read.Observed = v(1)
		ops = []history.Op{put, gone, read}
	}
	if named {
		name(ops)
	}
	return ops
}

// name names the writes as a store would, by the values they leave.
func name(ops []history.Op) {
	writer := make(map[history.Value]string)
	last := history.InitialWriter
	for i := range ops {
		op := &ops[i]
		if op.Kind == history.Get {
			op.ObservedWriter = writer[op.Observed]
			continue
		}
		op.Writer = fmt.Sprintf("planted-w%d", i)
		writer[op.Value] = op.Writer
		if op.Outcome != history.OK {
			continue
		}
		op.ObservedWriter = last
		if op.Kind == history.Cas {
			op.ObservedWriter = writer[op.Expected]
		}
		last = op.Writer
	}
}

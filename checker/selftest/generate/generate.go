// SPDX-License-Identifier: Apache-2.0

package generate

import (
	"math/rand/v2"
	"strconv"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// Spec says what history to make. The zero value of a share means none.
type Spec struct {
	Seed    uint64
	Ops     int
	Keys    int
	Clients int
	// Busy lets clients call again as soon as an operation has ended; else
	// they are idle for about a third of their time.
	Busy bool
	// Unknown is the share of operations whose client never learns the
	// outcome; half of the writes among them take effect.
	Unknown float64
	// Failed is the share of puts that are refused without effect.
	Failed float64
	// Values is the number of different values, 0 for values that are all
	// different.
	Values int
	// Shares of the kinds; what is left over is gets.
	Put, Cas, Append, Delete float64
	// Blind is the share of failed cas that are told no more than that the
	// value is not the expected one; half as many are told that, too.
	Blind float64
	// Named lets the store name its writes.
	Named bool
	// Ties makes events share moments of time.
	Ties bool
	// Strings makes values strings, else they are integers.
	Strings bool
}

type client struct {
	id      int64
	busy    bool
	applied bool
	op      history.Op
}

type state struct {
	value  history.Value
	writer string
}

type maker struct {
	Spec
	rng     *rand.Rand
	store   []state
	names   []string
	now     int64
	written int
	fresh   int64
	emit    func(history.Op)
	ended   int
	late    []history.Op // unknown writes that may still take effect
	recent  [][]history.Value
}

// History makes a linearizable history, in the order in which operations end.
func History(s Spec) []history.Op {
	ops := make([]history.Op, 0, s.Ops)
	Each(s, func(op history.Op) { ops = append(ops, op) })
	return ops
}

// Each makes the history operation by operation, without holding it.
func Each(s Spec, emit func(history.Op)) {
	m := &maker{emit: emit, Spec: s, rng: rand.New(rand.NewPCG(s.Seed, 0x6d61726b)), fresh: int64(s.Clients)}
	for k := range s.Keys {
		m.names = append(m.names, "k"+strconv.Itoa(k))
		m.store = append(m.store, state{history.Absent, history.InitialWriter})
	}
	m.recent = make([][]history.Value, s.Keys)
	clients := make([]client, s.Clients)
	for i := range clients {
		clients[i].id = int64(i)
	}
	for begun := 0; begun < s.Ops || m.ended < s.Ops; {
		c := &clients[m.rng.IntN(len(clients))]
		if !c.busy && begun == s.Ops {
			continue
		}
		m.tick()
		switch {
		case !c.busy:
			m.invoke(c)
			begun++
		case !c.applied:
			m.end(c)
		default:
			c.op.Return = m.now
			m.done(c.op)
			c.busy = false
		}
		if m.Busy && !c.busy && begun < s.Ops {
			m.tick()
			m.invoke(c)
			begun++
		}
		m.applyLate()
	}
}

func (m *maker) done(op history.Op) {
	m.ended++
	m.emit(op)
}

func (m *maker) tick() {
	if m.Ties {
		m.now += int64(m.rng.IntN(2))
		return
	}
	m.now += 1 + int64(m.rng.IntN(3))
}

func (m *maker) invoke(c *client) {
	k := m.rng.IntN(m.Keys)
	c.busy, c.applied = true, false
	c.op = history.Op{Client: c.id, Key: m.names[k], Kind: m.kind(), Call: m.now, Outcome: history.OK}
	switch c.op.Kind {
	case history.Put, history.Append:
		c.op.Value = m.value()
	case history.Cas:
		c.op.Value = m.value()
		c.op.Expected = m.store[k].value
		if old := m.recent[k]; len(old) > 0 && m.rng.IntN(3) == 0 {
			c.op.Expected = old[m.rng.IntN(len(old))]
		}
	}
	if m.Named && c.op.Kind.Mutates() {
		m.written++
		c.op.Writer = "w" + strconv.Itoa(m.written)
	}
}

func (m *maker) kind() history.Kind {
	r := m.rng.Float64()
	for _, k := range [...]struct {
		share float64
		kind  history.Kind
	}{{m.Put, history.Put}, {m.Cas, history.Cas}, {m.Append, history.Append}, {m.Delete, history.Delete}} {
		if r -= k.share; r < 0 {
			return k.kind
		}
	}
	return history.Get
}

func (m *maker) value() history.Value {
	m.written++
	n := m.written
	if m.Values > 0 {
		n = m.rng.IntN(m.Values)
	}
	if m.Strings || m.Append > 0 {
		return history.String("v" + strconv.Itoa(n) + ";")
	}
	return history.Int(int64(n))
}

// end lets the operation take effect, or not.
func (m *maker) end(c *client) {
	switch r := m.rng.Float64(); {
	case r < m.Unknown:
		op := c.op
		op.Outcome = history.Unknown
		m.done(op)
		c.busy = false
		c.id, m.fresh = m.fresh, m.fresh+1
		if op.Kind.Mutates() && m.rng.IntN(2) == 0 {
			m.late = append(m.late, op)
		}
	case r < m.Unknown+m.Failed && c.op.Kind == history.Put:
		c.op.Outcome, c.applied = history.Fail, true
	default:
		m.apply(&c.op)
		c.applied = true
	}
}

func (m *maker) applyLate() {
	if len(m.late) == 0 || m.rng.IntN(4) != 0 {
		return
	}
	i := m.rng.IntN(len(m.late))
	op := m.late[i]
	m.late[i] = m.late[len(m.late)-1]
	m.late = m.late[:len(m.late)-1]
	m.apply(&op)
}

func (m *maker) apply(op *history.Op) {
	k, _ := strconv.Atoi(op.Key[1:])
	s := &m.store[k]
	if m.Named {
		op.ObservedWriter = s.writer
	}
	switch op.Kind {
	case history.Get:
		op.Observed = s.value
		return
	case history.Put:
		s.value = op.Value
	case history.Delete:
		s.value = history.Absent
	case history.Append:
		s.value = s.value.Append(op.Value)
	case history.Cas:
		if s.value != op.Expected {
			op.Outcome = history.Fail
			r := 1.0
			if m.Blind > 0 {
				r = m.rng.Float64()
			}
			op.Refuted = r < m.Blind*1.5
			if r < m.Blind {
				op.ObservedWriter = ""
			} else {
				op.Observed = s.value
			}
			return
		}
		s.value = op.Value
	}
	s.writer = op.Writer
	if r := m.recent[k]; len(r) >= 4 {
		copy(r, r[1:])
		r[3] = s.value
	} else {
		m.recent[k] = append(r, s.value)
	}
}

// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"encoding/json"
	"math/rand/v2"
	"strconv"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/model"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
)

// object is what keys hold where the scenario's workload.kind is not keys: how updates
// are drawn, what histories have of it, and the model that they are judged by.
type object struct {
	model model.Model
	// update draws an update, which is to have a name of its own in the run. asked is
	// what the command says, and value the same as histories have it.
	update func(r *rand.Rand, name string) (command kv.Op, kind history.Kind, asked kv.Maybe, value history.Value)
	// observed is what histories have of a value that was read, and answered what they
	// have of an update's result.
	observed func(kv.Maybe) history.Value
	answered func(kv.Op, kv.Maybe) history.Value
}

// objects are all of them, by the scenario's workload.kind.
var objects = map[string]*object{
	"counter": {model: model.Counter, update: drawAdd, observed: numberOf, answered: number},
	"set":     {model: model.Set, update: drawElement, observed: valueOf, answered: number},
	"bank":    {model: model.Banks, update: drawTransfer, observed: valueOf, answered: text},
	"queue":   {model: model.Queue, update: drawQueued, observed: valueOf, answered: lengthOrElement},
	"table":   {model: model.Table, update: drawTxn, observed: valueOf, answered: text},
}

// ModelOf returns the specification of what keys hold; nil: of a key-value store.
func ModelOf(kind string) model.Model {
	if o := objects[kind]; o != nil {
		return o.model
	}
	return nil
}

func numberOf(m kv.Maybe) history.Value {
	if !m.Present {
		return history.Absent
	}
	return history.Integer(m.Text)
}

func number(_ kv.Op, result kv.Maybe) history.Value { return numberOf(result) }

func text(_ kv.Op, result kv.Maybe) history.Value { return valueOf(result) }

func lengthOrElement(op kv.Op, result kv.Maybe) history.Value {
	if op == kv.Enqueue {
		return numberOf(result)
	}
	return valueOf(result)
}

func drawAdd(r *rand.Rand, _ string) (kv.Op, history.Kind, kv.Maybe, history.Value) {
	n := r.Int64N(19) - 9
	return kv.Add, history.Add, kv.Some(strconv.FormatInt(n, 10)), history.Int(n)
}

// elements is how many elements a set may have: few, so that they come and go.
const elements = 12

func drawElement(r *rand.Rand, _ string) (kv.Op, history.Kind, kv.Maybe, history.Value) {
	element := "e" + strconv.Itoa(r.IntN(elements))
	if r.IntN(2) == 0 {
		return kv.Insert, history.Add, kv.Some(element), history.String(element)
	}
	return kv.Remove, history.Remove, kv.Some(element), history.String(element)
}

// drawTransfer draws so much money that some accounts run dry.
func drawTransfer(r *rand.Rand, _ string) (kv.Op, history.Kind, kv.Maybe, history.Value) {
	account := func() string { return kv.Accounts[r.IntN(len(kv.Accounts))] }
	text := asJSON(struct {
		From   string `json:"from"`
		To     string `json:"to"`
		Amount int64  `json:"amount"`
	}{account(), account(), 1 + r.Int64N(kv.OpeningBalance)})
	return kv.Transfer, history.Transfer, kv.Some(text), history.String(text)
}

func drawQueued(r *rand.Rand, name string) (kv.Op, history.Kind, kv.Maybe, history.Value) {
	if r.IntN(2) == 0 {
		return kv.Dequeue, history.Dequeue, kv.Maybe{}, history.Value{}
	}
	return kv.Enqueue, history.Enqueue, kv.Some(name), history.String(name)
}

// The rows of a table, and how many steps a transaction has at most.
var rows = []string{"a", "b", "c", "d", "e", "f"}

const maxSteps = 4

func drawTxn(r *rand.Rand, name string) (kv.Op, history.Kind, kv.Maybe, history.Value) {
	steps := make([][3]any, 1+r.IntN(maxSteps))
	for i := range steps {
		row := rows[r.IntN(len(rows))]
		switch draw := r.IntN(10); {
		case draw < 4:
			steps[i] = [3]any{"r", row, nil}
		case draw < 7:
			steps[i] = [3]any{"append", row, name + ";"}
		default:
			steps[i] = [3]any{"w", row, name + ";"}
		}
	}
	text := asJSON(steps)
	return kv.Transact, history.Txn, kv.Some(text), history.String(text)
}

func asJSON(v any) string {
	text, _ := json.Marshal(v) // texts and numbers always marshal
	return string(text)
}

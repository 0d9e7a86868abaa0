// SPDX-License-Identifier: Apache-2.0

package kv

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// objectOp is a command on an object: a value that is more than a text. It gets what
// the key holds, absent at first, and the command's Value, and returns what the key
// then holds and the command's result. ok is false if the object refuses: it stays as
// it is.
type objectOp func(held Maybe, argument string) (next, result Maybe, ok bool)

// objectOps are the commands on objects. Objects are kept as text: a number, or JSON.
var objectOps = map[Op]objectOp{
	Add: add, Insert: insert, Remove: remove, Transfer: transfer, Enqueue: enqueue, Dequeue: dequeue, Transact: transact,
}

// The writer of an object is a trail: the names of the last writes, the newest first, as
// many as MaxWriter has room for. So whoever sees the state learns in which order writes
// were carried out of which nobody was told.
const (
	trailMark  = "<"
	trailBegin = "initial" // nothing was written before
)

// trail returns the trail of a write after another one; an empty one: it is the first.
func trail(name, before string) string {
	if before == "" {
		before = trailBegin
	}
	all := name + trailMark + before
	if len(all) > MaxWriter {
		all = all[:strings.LastIndex(all[:MaxWriter+1], trailMark)]
	}
	return all
}

// Trail returns the names of the writes that left a state of an object, the newest first.
// The last one is "initial" if there were no more.
func (s State) Trail() []string { return strings.Split(s.Writer, trailMark) }

// add adds to a counter, which wraps around, and returns its sum.
func add(held Maybe, argument string) (next, result Maybe, ok bool) {
	sum, err := int64(0), error(nil)
	if held.Present {
		if sum, err = strconv.ParseInt(held.Text, 10, 64); err != nil {
			return Maybe{}, Maybe{}, false
		}
	}
	n, err := strconv.ParseInt(argument, 10, 64)
	next = Some(strconv.FormatInt(sum+n, 10))
	return next, next, err == nil
}

// insert and remove change a set, which is kept in order, and return its size.
func insert(held Maybe, argument string) (next, result Maybe, ok bool) {
	all, ok := elements(held)
	if at, there := slices.BinarySearch(all, argument); !there {
		all = slices.Insert(all, at, argument)
	}
	return written(all), written(len(all)), ok
}

func remove(held Maybe, argument string) (next, result Maybe, ok bool) {
	all, ok := elements(held)
	if at, there := slices.BinarySearch(all, argument); there {
		all = slices.Delete(all, at, at+1)
	}
	return written(all), written(len(all)), ok
}

// Accounts are those of a bank, each of which holds OpeningBalance at first.
var Accounts = []string{"a", "b", "c", "d", "e", "f", "g", "h"}

// OpeningBalance is what an account of a new bank holds.
const OpeningBalance = 100

// transferOrder is the Value of a transfer.
type transferOrder struct {
	From   string `json:"from"`
	To     string `json:"to"`
	Amount int64  `json:"amount"`
}

// transfer refuses what would overdraw an account. It returns the balances of both.
func transfer(held Maybe, argument string) (next, result Maybe, ok bool) {
	balances, ok := read[map[string]int64](held)
	if balances == nil {
		balances = map[string]int64{}
		for _, account := range Accounts {
			balances[account] = OpeningBalance
		}
	}
	var order transferOrder
	if err := json.Unmarshal([]byte(argument), &order); err != nil || !ok || order.Amount < 0 || balances[order.From] < order.Amount {
		return Maybe{}, Maybe{}, false
	}
	balances[order.From] -= order.Amount
	balances[order.To] += order.Amount
	return written(balances), written([]int64{balances[order.From], balances[order.To]}), true
}

// enqueue adds an element to a queue, and returns its length.
func enqueue(held Maybe, argument string) (next, result Maybe, ok bool) {
	all, ok := elements(held)
	return written(append(all, argument)), written(len(all) + 1), ok
}

// dequeue takes the oldest element of a queue, or nothing.
func dequeue(held Maybe, _ string) (next, result Maybe, ok bool) {
	all, ok := elements(held)
	if len(all) > 0 {
		all, result = all[1:], Some(all[0])
	}
	return written(all), result, ok
}

// transact carries out the steps of a transaction on the rows of a table, all of them or
// none: ["r", row, null] reads, ["w", row, text] writes, ["append", row, text] appends. The
// result is the steps with what was read.
func transact(held Maybe, argument string) (next, result Maybe, ok bool) {
	rows, ok := read[map[string]string](held)
	if rows == nil {
		rows = map[string]string{}
	}
	var steps [][3]*string
	if err := json.Unmarshal([]byte(argument), &steps); err != nil || !ok {
		return Maybe{}, Maybe{}, false
	}
	for i, s := range steps {
		what, row, text := s[0], s[1], s[2]
		switch {
		case what == nil || row == nil || (*what == "r") != (text == nil):
			return Maybe{}, Maybe{}, false
		case *what == "r":
			if now, there := rows[*row]; there {
				steps[i][2] = &now
			}
		case *what == "w":
			rows[*row] = *text
		case *what == "append":
			rows[*row] += *text
		default:
			return Maybe{}, Maybe{}, false
		}
	}
	return written(rows), written(steps), true
}

// elements returns a set or a queue.
func elements(held Maybe) (all []string, ok bool) {
	all, ok = read[[]string](held)
	if all == nil {
		all = []string{} // is written as such
	}
	return all, ok
}

// read returns the object that is kept as a text, and whether it is one; nothing where
// nothing is held.
func read[T any](held Maybe) (object T, ok bool) {
	if !held.Present {
		return object, true
	}
	return object, json.Unmarshal([]byte(held.Text), &object) == nil
}

// written returns an object as text, equal objects as equal texts.
func written[T any](object T) Maybe {
	text, _ := json.Marshal(object) // texts and numbers always marshal
	return Some(string(text))
}

// SPDX-License-Identifier: Apache-2.0

package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// All holds the models of this package.
var All = []Model{Register, CasRegister, KV, Counter, Set, Bank, Banks, Queue, Table, Sessions}

// ByName returns the model of this package with the name; "auto" names Auto.
func ByName(name string) (Model, error) {
	if name == "auto" {
		return Auto, nil
	}
	names := "auto"
	for _, m := range All {
		if m.Name() == name {
			return m, nil
		}
		names += ", " + m.Name()
	}
	return nil, fmt.Errorf("model %q is none of %s", name, names)
}

// CasRegister is Register under the name that other tools give it.
var CasRegister Model = kv{name: "cas-register", register: true}

// Counter is a counter a key, 0 at first: add adds the integer Value, and may observe
// the sum after it; get observes the sum (absent counts as 0). Sums have 64 bits and wrap around.
var Counter Model = counter{}

type counter struct{}

func (counter) Name() string                   { return "counter" }
func (counter) Part(op *history.Op) string     { return op.Key }
func (counter) Init(string) State              { return int64(0) }
func (counter) Constrains(op *history.Op) bool { return constrainsUnlessFailed(op) }
func (counter) Observes(op *history.Op) bool   { return op.Kind == history.Get }
func (counter) Validate(op *history.Op) error {
	switch op.Kind {
	case history.Add:
		if _, ok := op.Value.Int(); !ok {
			return fmt.Errorf("a counter adds integers of 64 bits, not %s", op.Value)
		}
		if _, ok := op.Observed.Int(); !ok && op.Observed.Stated() {
			return fmt.Errorf("an add observes an integer of 64 bits, not %s", op.Observed)
		}
	case history.Get:
		if _, ok := op.Observed.Int(); !ok && op.Outcome == history.OK && !op.Observed.IsAbsent() {
			return fmt.Errorf("a counter holds an integer of 64 bits, not %s", op.Observed)
		}
	default:
		return fmt.Errorf("a counter knows no %q", op.Kind)
	}
	return op.Validate()
}

// Reveals implements Revealer.
func (counter) Reveals(op *history.Op) (State, bool) {
	n, _ := op.Observed.Int()
	return n, wasRead(op)
}

// wasRead reports whether an operation read all that its key holds.
func wasRead(op *history.Op) bool { return op.Kind == history.Get && op.Outcome == history.OK }

func (counter) Step(s State, op *history.Op) (State, bool) {
	if op.Kind == history.Add {
		n, _ := op.Value.Int()
		sum := s.(int64) + n
		return sum, answered(op, sum)
	}
	n, _ := op.Observed.Int()
	return s, n == s.(int64)
}

// answered reports whether an update was answered with a number, if that is stated.
func answered(op *history.Op, want int64) bool {
	n, _ := op.Observed.Int()
	return op.Outcome != history.OK || !op.Observed.Stated() || n == want
}

func constrainsUnlessFailed(op *history.Op) bool {
	return op.Outcome == history.OK || op.Outcome == history.Unknown && op.Kind.Mutates()
}

// Set is a set of texts a key, empty at first: add adds the element Value,
// remove takes it out, and both may observe its size after that; get observes the elements as a JSON array of strings
// (in any order; absent counts as empty).
var Set Model = set{}

type set struct{}

func (set) Name() string                   { return "set" }
func (set) Part(op *history.Op) string     { return op.Key }
func (set) Init(string) State              { return "[]" }
func (set) Constrains(op *history.Op) bool { return constrainsUnlessFailed(op) }
func (set) Observes(op *history.Op) bool   { return op.Kind == history.Get }
func (set) Validate(op *history.Op) error {
	switch op.Kind {
	case history.Add, history.Remove:
		if !op.Value.Stated() || op.Value.IsAbsent() {
			return fmt.Errorf("%s on a set needs \"value\"", op.Kind)
		}
		if _, ok := op.Observed.Int(); !ok && op.Observed.Stated() {
			return fmt.Errorf("%s on a set observes its size, not %s", op.Kind, op.Observed)
		}
	case history.Get:
		if op.Outcome == history.OK {
			if _, err := elements(op.Observed.Text()); err != nil {
				return fmt.Errorf("a set is observed as a JSON array of different strings, not %s: %w", op.Observed, err)
			}
		}
	default:
		return fmt.Errorf("a set knows no %q", op.Kind)
	}
	return op.Validate()
}

func elements(text string) ([]string, error) {
	if text == "" {
		return nil, nil
	}
	var all []string
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		return nil, err
	}
	if all == nil {
		return nil, errors.New("null is no array")
	}
	once := make(map[string]bool, len(all))
	for _, e := range all {
		if once[e] {
			return nil, fmt.Errorf("%q is there twice", e)
		}
		once[e] = true
	}
	return all, nil
}

func setState(all []string) string {
	slices.Sort(all)
	b, _ := json.Marshal(slices.Compact(all)) // strings always marshal
	return string(b)
}

// Reveals implements Revealer.
func (set) Reveals(op *history.Op) (State, bool) {
	seen, _ := elements(op.Observed.Text())
	return setState(append([]string{}, seen...)), wasRead(op)
}

func (m set) Step(s State, op *history.Op) (State, bool) {
	all, _ := elements(s.(string))
	switch op.Kind {
	case history.Add:
		if !slices.Contains(all, op.Value.Text()) {
			all = append(all, op.Value.Text())
		}
		return setState(all), answered(op, int64(len(all)))
	case history.Remove:
		all = append([]string{}, slices.DeleteFunc(all, func(e string) bool { return e == op.Value.Text() })...)
		return setState(all), answered(op, int64(len(all)))
	}
	seen, _ := m.Reveals(op)
	return s, seen == s
}

// Bank is one set of accounts: a put sets the balance of account Key, a
// transfer moves money (Value is {"from":…,"to":…,"amount":…} as text), a get
// observes all balances as a JSON object (as text; accounts that hold 0 may
// be there or not). A transfer that would
// overdraw an account fails. The total is preserved by construction: a get
// that shows another total is a violation.
var Bank Model = bank{name: "bank"}

// Banks is a bank a key, with the accounts a to h, each of which holds 100 at first:
// transfer and get are those of Bank. A transfer that is Refuted was refused: the
// account did not hold so much. One that was carried out may observe the balances of both
// accounts after it, as a JSON array.
var Banks Model = bank{name: "banks", each: `{"a":100,"b":100,"c":100,"d":100,"e":100,"f":100,"g":100,"h":100}`}

type bank struct {
	name string
	each string // what each key holds at first; empty: there is one bank
}

type transfer struct {
	From   string `json:"from"`
	To     string `json:"to"`
	Amount int64  `json:"amount"`
}

func (m bank) Name() string { return m.name }

func (m bank) Part(op *history.Op) string {
	if m.each == "" {
		return ""
	}
	return op.Key
}

func (m bank) Init(string) State {
	if m.each == "" {
		return "{}"
	}
	return m.each
}

func (m bank) Constrains(op *history.Op) bool {
	return constrainsUnlessFailed(op) || op.Kind == history.Transfer && op.Refuted
}

func (m bank) Observes(op *history.Op) bool {
	return op.Kind == history.Get || op.Outcome == history.Fail
}

func (m bank) Validate(op *history.Op) error {
	switch op.Kind {
	case history.Put:
		if m.each != "" {
			return fmt.Errorf("a bank of which each key is one knows no %q", op.Kind)
		}
		if _, ok := op.Value.Int(); !ok {
			return fmt.Errorf("a balance is an integer of 64 bits, not %s", op.Value)
		}
	case history.Transfer:
		if t, err := readTransfer(op); err != nil || t.Amount < 0 {
			return fmt.Errorf("a transfer is {\"from\":…,\"to\":…,\"amount\":…} as text, not %s", op.Value)
		}
	case history.Get:
		if op.Outcome == history.OK {
			if _, err := balances(op.Observed.Text()); err != nil {
				return fmt.Errorf("balances are observed as a JSON object of integers, not %s: %w", op.Observed, err)
			}
		}
	default:
		return fmt.Errorf("a bank knows no %q", op.Kind)
	}
	return op.Validate()
}

func readTransfer(op *history.Op) (t transfer, err error) {
	if err := json.Unmarshal([]byte(op.Value.Text()), &t); err != nil {
		return t, err
	}
	if t.From == "" || t.To == "" {
		return t, fmt.Errorf("a transfer needs two accounts")
	}
	return t, nil
}

func balances(text string) (map[string]int64, error) {
	all := make(map[string]int64)
	if text == "" {
		return all, nil
	}
	if err := eachBalance(text, func(account string, balance int64) error {
		if _, twice := all[account]; twice {
			return fmt.Errorf("account %q is there twice", account)
		}
		all[account] = balance
		return nil
	}); err != nil {
		return nil, err
	}
	maps.DeleteFunc(all, func(_ string, balance int64) bool { return balance == 0 })
	return all, nil
}

// eachBalance goes through a JSON object member by member: json.Unmarshal
// would let the last of several with the same name win.
func eachBalance(text string, do func(account string, balance int64) error) error {
	d := json.NewDecoder(strings.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return errors.New("it is no object")
	}
	for d.More() {
		account, err := d.Token()
		if err != nil {
			return err
		}
		var balance int64
		if err := d.Decode(&balance); err != nil {
			return err
		}
		if err := do(account.(string), balance); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("something follows the object")
	}
	return nil
}

func bankState(all map[string]int64) string {
	maps.DeleteFunc(all, func(_ string, balance int64) bool { return balance == 0 })
	b, _ := json.Marshal(all) // integers by string always marshal, keys sorted
	return string(b)
}

// Reveals implements Revealer.
func (m bank) Reveals(op *history.Op) (State, bool) {
	if op.Observed.IsAbsent() { // nobody has touched it
		return m.Init(""), wasRead(op)
	}
	seen, _ := balances(op.Observed.Text())
	return bankState(seen), wasRead(op)
}

// Refuses implements Refuser.
func (m bank) Refuses(s State, op *history.Op) bool {
	if op.Kind != history.Transfer {
		return false
	}
	all, _ := balances(s.(string))
	t, _ := readTransfer(op)
	return all[t.From] < t.Amount
}

func (m bank) Step(s State, op *history.Op) (State, bool) {
	all, _ := balances(s.(string))
	switch op.Kind {
	case history.Put:
		all[op.Key], _ = op.Value.Int()
		return bankState(all), true
	case history.Transfer:
		t, _ := readTransfer(op)
		if all[t.From] < t.Amount {
			// One of unknown outcome was refused; one that is ok can't be.
			return s, op.Outcome != history.OK
		}
		if op.Outcome == history.Fail {
			return s, false
		}
		all[t.From] -= t.Amount
		all[t.To] += t.Amount
		told := op.Outcome != history.OK || !op.Observed.Stated() || op.Observed == history.String(render([]int64{all[t.From], all[t.To]}))
		return bankState(all), told
	}
	seen, _ := m.Reveals(op)
	return s, seen == s
}

// Sessions is exactly-once: every operation with a Session and Seq is one
// attempt at a proposal, and all attempts together take effect at most once.
// The state is a counter a key, to which add adds; get observes it.
var Sessions Model = sessions{}

type sessions struct{ counter }

// sessionState is what was added, and which proposals were.
type sessionState struct {
	sum  int64
	done string
}

func (sessions) Name() string      { return "sessions" }
func (sessions) Init(string) State { return sessionState{} }

func (sessions) Step(s State, op *history.Op) (State, bool) {
	now := s.(sessionState)
	if op.Kind != history.Add {
		n, _ := op.Observed.Int()
		return s, n == now.sum
	}
	if op.Session != "" {
		proposal := fmt.Sprintf("%x/%d;", op.Session, op.Seq)
		if strings.Contains(now.done, proposal) {
			return s, true
		}
		done := strings.SplitAfter(now.done, ";")
		done[len(done)-1] = proposal
		slices.Sort(done)
		now.done = strings.Join(done, "")
	}
	n, _ := op.Value.Int()
	now.sum += n
	return now, true
}

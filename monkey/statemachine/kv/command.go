// SPDX-License-Identifier: Apache-2.0

package kv

import "fmt"

// Op is what a command does.
type Op uint8

// The operations. Their numbers are in logs: never change them.
const (
	Put    Op = 1 // the key holds Value
	CAS    Op = 2 // the key holds Value if it held Expected
	Append Op = 3 // Value is added to the end of what the key holds; absent counts as empty
	Delete Op = 4 // the key holds nothing

	// Those of objects. Value says what is asked of the one that the key holds.
	Add      Op = 5  // a counter: the number that is added; the result is the sum
	Insert   Op = 6  // a set: the element; the result is the size of the set
	Remove   Op = 7  // a set: likewise
	Transfer Op = 8  // a bank: {"from", "to", "amount"} as JSON; refused if it would overdraw the account; the result is the balances of both
	Enqueue  Op = 9  // a queue: the element; the result is its length
	Dequeue  Op = 10 // a queue: nothing; the result is the oldest element, if there is one
	Transact Op = 11 // a table: the steps, [["r", row, null], ["w", row, text], ["append", row, text]] as JSON; the result is the steps with what was read
)

// opNames are the names of operations.
var opNames = map[Op]string{
	Put: "put", CAS: "cas", Append: "append", Delete: "delete",
	Add: "add", Insert: "insert", Remove: "remove", Transfer: "transfer", Enqueue: "enqueue", Dequeue: "dequeue", Transact: "transact",
}

// String names the operation.
func (o Op) String() string {
	if name := opNames[o]; name != "" {
		return name
	}
	return fmt.Sprintf("op(%d)", uint8(o))
}

// Limits of what a store takes, in bytes. A command beyond them has no effect.
const (
	MaxKey    = 1 << 10
	MaxWriter = 1 << 8
	MaxValue  = 1 << 20
)

// Maybe is a value that may be absent; absent differs from "".
type Maybe struct {
	Present bool
	Text    string
}

// Some returns the present value text.
func Some(text string) Maybe { return Maybe{Present: true, Text: text} }

// String describes the value to a person.
func (m Maybe) String() string {
	if !m.Present {
		return "nothing"
	}
	return fmt.Sprintf("%q", m.Text)
}

// Command changes what one key holds.
type Command struct {
	Op  Op
	Key string
	// Value is what put, cas and append write, and what an object is asked. A cas may
	// write absence.
	Value Maybe
	// Expected is what a cas compares with.
	Expected Maybe
	// Writer names this write. It is kept with the value or the tombstone, so
	// that a reader learns whose write it saw. Empty: it has no name.
	Writer string
}

// commandVersion begins every encoded command.
const commandVersion = 1

// Encode returns the command as bytes.
func (c Command) Encode() []byte {
	out := make([]byte, 0, 16+len(c.Key)+len(c.Value.Text)+len(c.Expected.Text)+len(c.Writer))
	out = append(out, commandVersion, byte(c.Op))
	out = appendText(out, c.Key)
	out = appendText(out, c.Writer)
	out = appendMaybe(out, c.Value)
	return appendMaybe(out, c.Expected)
}

// DecodeCommand reads what Encode wrote. Any other bytes are an error.
func DecodeCommand(data []byte) (Command, error) {
	r := reader{rest: data}
	if version := r.byte(); version != commandVersion && !r.failed {
		return Command{}, fmt.Errorf("found a command of version %d, expected %d", version, commandVersion)
	}
	c := Command{Op: Op(r.byte()), Key: r.text(), Writer: r.text(), Value: r.maybe(), Expected: r.maybe()}
	if err := r.end("command"); err != nil {
		return Command{}, err
	}
	return c, c.validate()
}

// validate finds commands that say something impossible.
func (c Command) validate() error {
	switch {
	case opNames[c.Op] == "":
		return fmt.Errorf("found operation %d in a command, expected %d to %d", c.Op, Put, Transact)
	case c.Key == "":
		return fmt.Errorf("found a %s without a key", c.Op)
	case (c.Op == Put || c.Op == Append) && !c.Value.Present:
		return fmt.Errorf("found a %s without a value", c.Op)
	}
	return nil
}

// withinLimits reports whether key, writer and value may be stored.
func (c Command) withinLimits() bool {
	return len(c.Key) <= MaxKey && len(c.Writer) <= MaxWriter && len(c.Value.Text) <= MaxValue
}

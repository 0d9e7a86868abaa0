// SPDX-License-Identifier: Apache-2.0

package kv

import (
	"encoding/binary"
	"fmt"
)

// Status says how a command or a query ended. It is never 0, which Dragonboat
// takes for 'no result'.
type Status uint8

// The statuses. Only OK commands have an effect.
const (
	OK       Status = 1
	Mismatch Status = 2 // a cas found another value than it expected, or an object refused
	Invalid  Status = 3 // the bytes are no command or query
	TooLarge Status = 4 // a limit would be passed
)

// String names the status.
func (s Status) String() string {
	switch s {
	case OK:
		return "ok"
	case Mismatch:
		return "mismatch"
	case Invalid:
		return "invalid"
	case TooLarge:
		return "too large"
	}
	return fmt.Sprintf("status(%d)", uint8(s))
}

// State is what a key holds.
type State struct {
	Value Maybe
	// Writer names the write that made it so; empty for a write without a name.
	Writer string
	// Index is that of the entry that made it so; 0: the key was never written.
	Index uint64
}

// Answer is what a command or a get is answered with.
type Answer struct {
	Status Status
	// Observed is the state that was seen: by a get and a cas that failed the
	// state of the key, by other commands the one they replaced, or that refused
	// them, with their result in place of its value.
	Observed State
	// Applied is the index of the last entry that was applied: the command's own,
	// or for a get that of the state it saw. See Digest.Applied.
	Applied uint64
}

const answerVersion = 2

// Encode returns the answer as bytes.
func (a Answer) Encode() []byte {
	out := make([]byte, 0, 24+len(a.Observed.Value.Text)+len(a.Observed.Writer))
	out = appendState(append(out, answerVersion, byte(a.Status)), a.Observed)
	return binary.AppendUvarint(out, a.Applied)
}

func appendState(out []byte, s State) []byte {
	out = appendMaybe(out, s.Value)
	out = appendText(out, s.Writer)
	return binary.AppendUvarint(out, s.Index)
}

func (r *reader) state() State {
	return State{Value: r.maybe(), Writer: r.text(), Index: r.uvarint()}
}

// DecodeAnswer reads what Encode wrote. Any other bytes are an error.
func DecodeAnswer(data []byte) (Answer, error) {
	r := reader{rest: data}
	if version := r.byte(); version != answerVersion && !r.failed {
		return Answer{}, fmt.Errorf("found an answer of version %d, expected %d", version, answerVersion)
	}
	a := Answer{Status: Status(r.byte()), Observed: r.state(), Applied: r.uvarint()}
	if err := r.end("answer"); err != nil {
		return Answer{}, err
	}
	if a.Status < OK || a.Status > TooLarge {
		return Answer{}, fmt.Errorf("found status %d in an answer, expected %d to %d", a.Status, OK, TooLarge)
	}
	return a, nil
}

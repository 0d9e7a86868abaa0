// SPDX-License-Identifier: Apache-2.0

package history

import (
	"math"
	"unsafe"
)

// scanLine reads a line in the form in which AppendJSON writes one: fields in
// that order, no space, no escapes, ASCII only. It reports whether the line is
// in this form and describes a valid operation; what it says of any other line
// means nothing, and ParseJSON has to read it. Of a line that it takes it makes
// the same operation as ParseJSON.
//
// The texts of the operation are those of the line, not copies: they change
// with it.
func scanLine(line []byte, op *Op) bool {
	*op = Op{}
	s := scanner{b: line}
	ok := s.literal(`{"client":`) && s.int(&op.Client) &&
		s.literal(`,"key":`) && s.text(&op.Key) &&
		s.literal(`,"op":"`) && s.kind(&op.Kind) &&
		(!s.literal(`,"value":`) || s.value(&op.Value)) &&
		(!s.literal(`,"expected":`) || s.value(&op.Expected)) &&
		(!s.literal(`,"observed":`) || s.value(&op.Observed)) &&
		s.literal(`,"call":`) && s.int(&op.Call)
	if !ok {
		return false
	}
	returned := s.literal(`,"return":`)
	if returned && !s.int(&op.Return) || !s.literal(`,"outcome":"`) || !s.outcome(&op.Outcome) {
		return false
	}
	if op.Outcome == Unknown {
		op.Return = 0
	} else if !returned {
		return false
	}
	return (s.end() || s.optional(op) && s.end()) && op.Validate() == nil
}

// optional reads the fields that few histories have.
func (s *scanner) optional(op *Op) bool {
	if s.literal(`,"refuted":true`) {
		op.Refuted = true
	}
	return (!s.literal(`,"writer":`) || s.text(&op.Writer)) &&
		(!s.literal(`,"observed_writer":`) || s.text(&op.ObservedWriter)) &&
		(!s.literal(`,"host":`) || s.text(&op.Host)) &&
		(!s.literal(`,"session":`) || s.text(&op.Session)) &&
		(!s.literal(`,"cluster":`) || s.uint(&op.Cluster)) &&
		(!s.literal(`,"seq":`) || s.uint(&op.Seq)) &&
		(!s.literal(`,"id":`) || s.uint(&op.ID))
}

// scanner walks a line. Each of its methods reports whether what it looks for
// comes next, and if so moves over it.
type scanner struct {
	b []byte // what is left
}

func (s *scanner) literal(lit string) bool {
	if len(s.b) < len(lit) || string(s.b[:len(lit)]) != lit {
		return false
	}
	s.b = s.b[len(lit):]
	return true
}

func (s *scanner) end() bool { return len(s.b) == 1 && s.b[0] == '}' }

// plain marks the bytes that stand for themselves in a string.
var plain = func() (t [256]bool) {
	for c := 0x20; c < 0x80; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

func (s *scanner) text(to *string) bool {
	b := s.b
	if len(b) == 0 || b[0] != '"' {
		return false
	}
	for i := 1; i < len(b); i++ {
		if plain[b[i]] {
			continue
		}
		if b[i] != '"' {
			return false
		}
		*to = borrow(b[1:i])
		s.b = b[i+1:]
		return true
	}
	return false
}

// borrow returns a string that shares the bytes.
func borrow(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// digits counts the digits that come next, after a sign; 0 if they are none of
// an integer as JSON has it.
func (s *scanner) digits(sign int) int {
	n := sign
	for n < len(s.b) && s.b[n]-'0' <= 9 {
		n++
	}
	n -= sign
	if n > 1 && s.b[sign] == '0' {
		return 0
	}
	return n
}

// maxDigits is the number of digits with which no uint64 overflows. Times in
// nanoseconds since 1970 have as many.
const maxDigits = 19

func (s *scanner) int(to *int64) bool {
	sign := 0
	if len(s.b) > 0 && s.b[0] == '-' {
		sign = 1
	}
	var n uint64
	if !s.number(sign, &n) || n > math.MaxInt64 {
		return false
	}
	*to = int64(n)
	if sign == 1 {
		*to = -*to
	}
	return true
}

func (s *scanner) uint(to *uint64) bool { return s.number(0, to) }

func (s *scanner) number(sign int, to *uint64) bool {
	var n uint64
	b := s.b[sign:]
	i := 0
	for ; i < len(b) && b[i]-'0' <= 9; i++ {
		n = n*10 + uint64(b[i]-'0')
	}
	if i == 0 || i > maxDigits || i > 1 && b[0] == '0' || i < len(b) && b[i] != ',' && b[i] != '}' {
		return false
	}
	*to = n
	s.b = b[i:]
	return true
}

func (s *scanner) value(to *Value) bool {
	if len(s.b) == 0 {
		return false
	}
	switch c := s.b[0]; {
	case c == '"':
		to.kind = text
		return s.text(&to.s)
	case c == 'n':
		*to = Absent
		return s.literal("null")
	case c == 't':
		*to = Value{kind: boolean, s: "true"}
		return s.literal("true")
	case c == 'f':
		*to = Value{kind: boolean, s: "false"}
		return s.literal("false")
	case c >= '1' && c <= '9' || c == '0' || c == '-':
		return s.integer(to)
	}
	return false
}

// integer reads an integer of any size; -0 is left to ParseJSON.
func (s *scanner) integer(to *Value) bool {
	sign := 0
	if s.b[0] == '-' {
		sign = 1
	}
	n := s.digits(sign)
	if n == 0 || sign == 1 && s.b[1] == '0' {
		return false
	}
	n += sign
	if n < len(s.b) && s.b[n] != ',' && s.b[n] != '}' {
		return false
	}
	*to = Value{kind: integer, s: borrow(s.b[:n])}
	s.b = s.b[n:]
	return true
}

// kind reads the name of one of the kinds of the key-value models, and the
// quote behind it.
func (s *scanner) kind(to *Kind) bool {
	switch {
	case s.literal(`get"`):
		*to = Get
	case s.literal(`put"`):
		*to = Put
	case s.literal(`cas"`):
		*to = Cas
	case s.literal(`append"`):
		*to = Append
	case s.literal(`delete"`):
		*to = Delete
	default:
		return false
	}
	return true
}

func (s *scanner) outcome(to *Outcome) bool {
	switch {
	case s.literal(`ok"`):
		*to = OK
	case s.literal(`unknown"`):
		*to = Unknown
	case s.literal(`fail"`):
		*to = Fail
	default:
		return false
	}
	return true
}

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
		(!s.literal(`,"by_host":`) || s.text(&op.answeredBy().Host)) &&
		(!s.literal(`,"session":`) || s.text(&op.Session)) &&
		(!s.literal(`,"by_node":`) || s.uint(&op.answeredBy().Node)) &&
		(!s.literal(`,"by_term":`) || s.uint(&op.answeredBy().Term)) &&
		(!s.literal(`,"by_applied":`) || s.uint(&op.answeredBy().Applied)) &&
		(!s.literal(`,"cluster":`) || s.uint(&op.Cluster)) &&
		(!s.literal(`,"seq":`) || s.uint(&op.Seq)) &&
		(!s.literal(`,"id":`) || s.uint(&op.ID))
}

// scanner walks a line. Each of its methods reports whether what it looks for
// comes next, and if so moves over it.
type scanner struct {
	b []byte
	i int // where it is in b
}

func (s *scanner) literal(lit string) bool {
	end := s.i + len(lit)
	if end > len(s.b) || string(s.b[s.i:end]) != lit {
		return false
	}
	s.i = end
	return true
}

func (s *scanner) end() bool { return s.i == len(s.b)-1 && s.b[s.i] == '}' }

// delimited reports whether a number may end at i.
func (s *scanner) delimited(i int) bool { return i < len(s.b) && (s.b[i] == ',' || s.b[i] == '}') }

// plain marks the bytes that stand for themselves in a string.
var plain = func() (t [256]bool) {
	for c := 0x20; c < 0x80; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

func (s *scanner) text(to *string) bool {
	b := s.b[s.i:]
	if len(b) == 0 || b[0] != '"' {
		return false
	}
	for n := 1; n < len(b); n++ {
		if plain[b[n]] {
			continue
		}
		if b[n] != '"' {
			return false
		}
		*to = borrow(b[1:n])
		s.i += n + 1
		return true
	}
	return false
}

// borrow returns a string that shares the bytes.
func borrow(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// maxDigits is the number of digits with which no uint64 overflows. Times in
// nanoseconds since 1970 have as many.
const maxDigits = 19

func (s *scanner) int(to *int64) bool {
	negative := s.literal("-")
	var n uint64
	if !s.uint(&n) || n > math.MaxInt64 {
		return false
	}
	*to = int64(n)
	if negative {
		*to = -*to
	}
	return true
}

func (s *scanner) uint(to *uint64) bool {
	var n uint64
	i := s.i
	for ; i < len(s.b) && s.b[i]-'0' <= 9; i++ {
		n = n*10 + uint64(s.b[i]-'0')
	}
	digits := i - s.i
	if digits == 0 || digits > maxDigits || digits > 1 && s.b[s.i] == '0' || !s.delimited(i) {
		return false
	}
	*to = n
	s.i = i
	return true
}

func (s *scanner) value(to *Value) bool {
	if s.i == len(s.b) {
		return false
	}
	switch s.b[s.i] {
	case '"':
		to.kind = text
		return s.text(&to.s)
	case 'n':
		*to = Absent
		return s.literal("null")
	case 't':
		*to = Value{kind: boolean, s: "true"}
		return s.literal("true")
	case 'f':
		*to = Value{kind: boolean, s: "false"}
		return s.literal("false")
	}
	return s.integer(to)
}

// integer reads an integer of any size; -0 is left to ParseJSON.
func (s *scanner) integer(to *Value) bool {
	first := s.i
	negative := s.literal("-")
	i := s.i
	for i < len(s.b) && s.b[i]-'0' <= 9 {
		i++
	}
	digits := i - s.i
	if digits == 0 || s.b[s.i] == '0' && (digits > 1 || negative) || !s.delimited(i) {
		return false
	}
	*to = Value{kind: integer, s: borrow(s.b[first:i])}
	s.i = i
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

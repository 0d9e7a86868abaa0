// SPDX-License-Identifier: Apache-2.0

package history

import "strconv"

type valueKind uint8

const (
	notStated valueKind = iota
	absent
	text
	integer
	boolean
)

// Value is what a key holds. The zero Value means that the history does not
// state one, which differs from Absent (the key holds nothing) and from
// String("") (the key holds the empty string). Values are comparable with ==.
type Value struct {
	kind valueKind
	s    string
}

// Absent is the value of a key that holds nothing: never written or deleted.
var Absent = Value{kind: absent}

// String returns the value that holds the string s.
func String(s string) Value { return Value{kind: text, s: s} }

// Int returns the value that holds the integer n. Int(1) differs from
// String("1").
func Int(n int64) Value { return Value{kind: integer, s: strconv.FormatInt(n, 10)} }

// Integer returns the value that holds the integer that is written in text,
// of any size, or Value{} if text is no integer.
func Integer(text string) Value {
	if s, ok := canonicalInteger(text); ok {
		return Value{kind: integer, s: s}
	}
	return Value{}
}

// Bool returns the value that holds a truth value.
func Bool(b bool) Value { return Value{kind: boolean, s: strconv.FormatBool(b)} }

// Stated reports whether the history states a value at all.
func (v Value) Stated() bool { return v.kind != notStated }

// IsAbsent reports whether the value says that the key holds nothing.
func (v Value) IsAbsent() bool { return v.kind == absent }

// IsText reports whether the value is a string.
func (v Value) IsText() bool { return v.kind == text }

// Text returns the content as text, "" for a value that is absent or not
// stated.
func (v Value) Text() string { return v.s }

// Int returns the integer that the value holds; false if it holds none
// or one beyond 64 bits.
func (v Value) Int() (int64, bool) {
	if v.kind != integer {
		return 0, false
	}
	n, err := strconv.ParseInt(v.s, 10, 64)
	return n, err == nil
}

// Append returns the value after s was appended to v: appending to an absent
// key creates it; appending an absent value changes nothing.
func (v Value) Append(s Value) Value {
	if s.kind == absent || s.kind == notStated {
		return v
	}
	return Value{kind: text, s: v.s + s.s}
}

// String describes the value to a person.
func (v Value) String() string {
	switch v.kind {
	case notStated:
		return "?"
	case absent:
		return "nothing"
	case text:
		return strconv.Quote(v.s)
	default:
		return v.s
	}
}

// canonicalInteger brings the text of an integer into the one form in which
// equal integers have equal texts; false if tok is no integer.
func canonicalInteger(tok string) (string, bool) {
	neg := false
	if tok != "" && (tok[0] == '-' || tok[0] == '+') {
		neg = tok[0] == '-'
		tok = tok[1:]
	}
	if tok == "" {
		return "", false
	}
	for i := 0; i < len(tok); i++ {
		if tok[i] < '0' || tok[i] > '9' {
			return "", false
		}
	}
	for len(tok) > 1 && tok[0] == '0' {
		tok = tok[1:]
	}
	if neg && tok != "0" {
		tok = "-" + tok
	}
	return tok, true
}

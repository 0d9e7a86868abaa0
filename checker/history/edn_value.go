// SPDX-License-Identifier: Apache-2.0

package history

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// value turns a scalar form into a Value.
func (f *form) value() (Value, error) {
	switch f.kind {
	case ednNil:
		return Absent, nil
	case ednBool:
		return Value{kind: boolean, s: f.s}, nil
	case ednInt:
		return Value{kind: integer, s: f.s}, nil
	case ednString:
		return String(f.s), nil
	case ednKeyword:
		return Value{}, fmt.Errorf(":%s is no value; a value is a string, an integer, true, false or nil", f.s)
	case ednOther:
		return Value{}, fmt.Errorf("%s is no value; a value is a string, an integer, true, false or nil", f.s)
	}
	return Value{}, errors.New("a collection is no value; a value is a string, an integer, true, false or nil")
}

// form is the form that holds the value.
func (v Value) form() form {
	switch v.kind {
	case notStated, absent:
		return form{kind: ednNil}
	case boolean:
		return form{kind: ednBool, s: v.s}
	case integer:
		return form{kind: ednInt, s: v.s}
	}
	return form{kind: ednString, s: v.s}
}

// String describes the form to a person.
func (f *form) String() string {
	switch f.kind {
	case ednNil:
		return "nil"
	case ednString:
		return strconv.Quote(f.s)
	case ednKeyword:
		return ":" + f.s
	case ednMap:
		return "a map"
	case ednVector:
		if len(f.items) > 4 {
			return fmt.Sprintf("a collection of %d", len(f.items))
		}
		texts := make([]string, len(f.items))
		for i := range f.items {
			texts[i] = f.items[i].String()
		}
		return "[" + strings.Join(texts, " ") + "]"
	}
	return f.s
}

func appendEDN(b []byte, v Value) []byte {
	switch v.kind {
	case notStated, absent:
		return append(b, "nil"...)
	case text:
		return appendEDNString(b, v.s)
	default:
		return append(b, v.s...)
	}
}

func appendEDNString(b []byte, s string) []byte {
	b = append(b, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, '\\', 'n')
		case c == '\r':
			b = append(b, '\\', 'r')
		case c == '\t':
			b = append(b, '\\', 't')
		case c < 0x20:
			b = fmt.Appendf(b, "\\u%04x", c)
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// SPDX-License-Identifier: Apache-2.0

package history

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

type ednKind uint8

const (
	ednNil ednKind = iota
	ednBool
	ednInt
	ednOther // a float, a character, a symbol: kept as text
	ednString
	ednKeyword
	ednVector // a list or a set, too
	ednMap    // keys and values alternate in items
)

// form is one EDN form: its text for a scalar, its items for a collection.
type form struct {
	kind  ednKind
	s     string
	items []form
}

// get returns the value of a keyword in a map.
func (f *form) get(keyword string) (form, bool) {
	for i := 0; i+1 < len(f.items); i += 2 {
		if f.items[i].kind == ednKeyword && f.items[i].s == keyword {
			return f.items[i+1], true
		}
	}
	return form{}, false
}

const (
	maxDepth = 32
	maxToken = 16 << 20
)

// ednReader reads forms from a stream and counts lines.
type ednReader struct {
	file string
	r    *bufio.Reader
	line int
	buf  []byte
}

func newEDNReader(file string, r io.Reader) *ednReader {
	return &ednReader{file: file, r: bufio.NewReaderSize(r, 1<<18), line: 1}
}

// readEDN reads the first form of a text.
func readEDN(text string) (form, error) {
	e := &ednReader{r: bufio.NewReaderSize(strings.NewReader(text), 64), line: 1}
	if _, err := e.peek(); err != nil {
		return form{}, errors.New("there is no form")
	}
	return e.form(0)
}

func (e *ednReader) errorf(format string, args ...any) error {
	return &InputError{File: e.file, Line: e.line, Err: fmt.Errorf(format, args...)}
}

func (e *ednReader) fail(err error) error {
	if err == io.EOF {
		return e.errorf("the input ends in the middle of a form")
	}
	var in *InputError
	if errors.As(err, &in) {
		return err
	}
	return &InputError{File: e.file, Line: e.line, Err: readError(err)}
}

// peek returns the first byte that is neither space nor comment; io.EOF at
// the end.
func (e *ednReader) peek() (byte, error) {
	for {
		c, err := e.r.ReadByte()
		if err != nil {
			return 0, err
		}
		switch c {
		case '\n':
			e.line++
		case ' ', '\t', '\r', ',', '\f':
		case ';':
			if err := e.skipLine(); err != nil {
				return 0, err
			}
		default:
			return c, e.r.UnreadByte()
		}
	}
}

func (e *ednReader) skipLine() error {
	for {
		c, err := e.r.ReadByte()
		if err != nil {
			return err
		}
		if c == '\n' {
			e.line++
			return nil
		}
	}
}

// form reads one form. The caller has peeked, so there is one.
func (e *ednReader) form(depth int) (form, error) {
	if depth > maxDepth {
		return form{}, e.errorf("forms are nested more than %d deep", maxDepth)
	}
	c, err := e.peek()
	if err != nil {
		return form{}, e.fail(err)
	}
	switch c {
	case '"':
		s, err := e.str()
		return form{kind: ednString, s: s}, err
	case '[':
		return e.collection(ednVector, ']', depth)
	case '(':
		return e.collection(ednVector, ')', depth)
	case '{':
		f, err := e.collection(ednMap, '}', depth)
		if err == nil && len(f.items)%2 != 0 {
			return f, e.errorf("a map has a key without a value")
		}
		return f, err
	case '#':
		return e.dispatch(depth)
	case ']', ')', '}':
		return form{}, e.errorf("found %q where a form is expected", c)
	}
	tok, err := e.token()
	if err != nil {
		return form{}, err
	}
	return e.scalar(tok)
}

// dispatch reads what begins with #: a set, a discarded form, or a tag with
// its form, of which only the form counts.
func (e *ednReader) dispatch(depth int) (form, error) {
	if _, err := e.r.ReadByte(); err != nil {
		return form{}, e.fail(err)
	}
	c, err := e.r.ReadByte()
	if err != nil {
		return form{}, e.fail(err)
	}
	if err := e.r.UnreadByte(); err != nil {
		return form{}, e.fail(err)
	}
	if c == '{' {
		return e.collection(ednVector, '}', depth)
	}
	if c == '_' {
		if _, err := e.r.ReadByte(); err != nil {
			return form{}, e.fail(err)
		}
		if _, err := e.form(depth + 1); err != nil {
			return form{}, err
		}
		return e.form(depth + 1)
	}
	if _, err := e.token(); err != nil {
		return form{}, err
	}
	return e.form(depth + 1)
}

func (e *ednReader) collection(kind ednKind, end byte, depth int) (form, error) {
	f := form{kind: kind}
	if _, err := e.r.ReadByte(); err != nil {
		return f, e.fail(err)
	}
	for {
		c, err := e.peek()
		if err != nil {
			return f, e.fail(err)
		}
		if c == end {
			_, err := e.r.ReadByte()
			return f, err
		}
		item, err := e.form(depth + 1)
		if err != nil {
			return f, err
		}
		if f.items = append(f.items, item); len(f.items) > 4096 {
			return f, e.errorf("a collection has more than 4096 items")
		}
	}
}

func (e *ednReader) token() (string, error) {
	e.buf = e.buf[:0]
	for {
		c, err := e.r.ReadByte()
		if err == io.EOF {
			break
		}
		if err != nil {
			return "", e.fail(err)
		}
		if strings.IndexByte(" \t\r\n\f,;\"()[]{}", c) >= 0 {
			if err := e.r.UnreadByte(); err != nil {
				return "", e.fail(err)
			}
			break
		}
		if e.buf = append(e.buf, c); len(e.buf) > maxToken {
			return "", e.errorf("a token is longer than %d bytes", maxToken)
		}
	}
	if !utf8.Valid(e.buf) {
		return "", e.errorf("%.40q is not UTF-8", e.buf)
	}
	return string(e.buf), nil
}

func (e *ednReader) scalar(tok string) (form, error) {
	switch {
	case tok == "nil":
		return form{kind: ednNil}, nil
	case tok == "true" || tok == "false":
		return form{kind: ednBool, s: tok}, nil
	case tok[0] == ':':
		return form{kind: ednKeyword, s: tok[1:]}, nil
	}
	if n, ok := canonicalInteger(strings.TrimSuffix(tok, "N")); ok {
		return form{kind: ednInt, s: n}, nil
	}
	return form{kind: ednOther, s: tok}, nil
}

func (e *ednReader) str() (string, error) {
	if _, err := e.r.ReadByte(); err != nil {
		return "", e.fail(err)
	}
	e.buf = e.buf[:0]
	for {
		c, err := e.r.ReadByte()
		if err != nil {
			return "", e.fail(err)
		}
		switch c {
		case '"':
			if !utf8.Valid(e.buf) {
				return "", e.errorf("the string %.40q is not UTF-8", e.buf)
			}
			return string(e.buf), nil
		case '\n':
			e.line++
		case '\\':
			if err := e.escape(); err != nil {
				return "", err
			}
			continue
		}
		if e.buf = append(e.buf, c); len(e.buf) > maxToken {
			return "", e.errorf("a string is longer than %d bytes", maxToken)
		}
	}
}

func (e *ednReader) escape() error {
	c, err := e.r.ReadByte()
	if err != nil {
		return e.fail(err)
	}
	switch c {
	case 't':
		e.buf = append(e.buf, '\t')
	case 'n':
		e.buf = append(e.buf, '\n')
	case 'r':
		e.buf = append(e.buf, '\r')
	case 'b':
		e.buf = append(e.buf, '\b')
	case 'f':
		e.buf = append(e.buf, '\f')
	case '"', '\\':
		e.buf = append(e.buf, c)
	case 'u':
		var hex [4]byte
		if _, err := io.ReadFull(e.r, hex[:]); err != nil {
			return e.fail(io.EOF)
		}
		n, err := strconv.ParseUint(string(hex[:]), 16, 16)
		if err != nil {
			return e.errorf("\\u%s is no escape", hex)
		}
		if !utf8.ValidRune(rune(n)) {
			return e.errorf("\\u%s is half a surrogate pair", hex)
		}
		e.buf = utf8.AppendRune(e.buf, rune(n))
	default:
		return e.errorf("\\%c is no escape", c)
	}
	return nil
}

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

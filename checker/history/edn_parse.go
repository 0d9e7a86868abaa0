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

// newEDNReader reads what follows a number of lines.
func newEDNReader(file string, r io.Reader, before int) *ednReader {
	return &ednReader{file: file, r: bufio.NewReaderSize(r, 1<<18), line: before + 1}
}

// readEDN reads the first form of a text and returns what follows it.
func readEDN(text string) (f form, rest string, err error) {
	in := strings.NewReader(text)
	e := &ednReader{r: bufio.NewReaderSize(in, 64), line: 1}
	if _, err := e.peek(0); err != nil {
		return form{}, "", errors.New("there is no form")
	}
	if f, err = e.form(0); err != nil {
		return form{}, "", err
	}
	return f, strings.TrimSpace(text[len(text)-in.Len()-e.r.Buffered():]), nil
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

// peek returns the first byte that is neither space nor comment nor part of a
// discarded form (#_form); io.EOF at the end.
func (e *ednReader) peek(depth int) (byte, error) {
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
		case '#':
			if err := e.r.UnreadByte(); err != nil {
				return 0, e.fail(err)
			}
			if next, _ := e.r.Peek(2); string(next) != "#_" {
				return c, nil
			}
			if _, err := e.r.Discard(2); err != nil {
				return 0, e.fail(err)
			}
			if _, err := e.form(depth + 1); err != nil {
				return 0, err
			}
		default:
			return c, e.r.UnreadByte()
		}
	}
}

// skipMark moves over a byte order mark.
func (e *ednReader) skipMark() error {
	if next, _ := e.r.Peek(len(byteOrderMark)); string(next) != byteOrderMark {
		return nil
	}
	_, err := e.r.Discard(len(byteOrderMark))
	return err
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
	c, err := e.peek(depth)
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
		if err == nil {
			err = e.checkMap(&f)
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

// dispatch reads what begins with #: a set, or a tag with its form. The tag of
// a collection is dropped (#jepsen.history.Op{…}); a scalar with a tag is not
// the scalar without it.
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
	tag, err := e.token()
	if err != nil {
		return form{}, err
	}
	switch {
	case tag == "":
		return form{}, e.errorf("found %q where # needs a tag", c)
	case tag[0] == '#': // ##Inf, ##NaN
		return form{kind: ednOther, s: "#" + tag}, nil
	}
	f, err := e.form(depth + 1)
	if f.kind != ednVector && f.kind != ednMap {
		f = form{kind: ednOther, s: "#" + tag + " " + f.String()}
	}
	return f, err
}

// checkMap refuses a map with a key without a value, or one key twice.
func (e *ednReader) checkMap(f *form) error {
	if len(f.items)%2 != 0 {
		return e.errorf("a map has a key without a value")
	}
	type scalar struct {
		kind ednKind
		s    string
	}
	const few = 16
	var seen map[scalar]bool // of what does not fit into few
	for i := 0; i < len(f.items); i += 2 {
		k := &f.items[i]
		if k.kind == ednVector || k.kind == ednMap {
			continue
		}
		twice := seen[scalar{k.kind, k.s}]
		for j := 0; j < min(i, few) && !twice; j += 2 {
			twice = f.items[j].kind == k.kind && f.items[j].s == k.s
		}
		if twice {
			return e.errorf("a map has the key %s twice", k.String())
		}
		if i >= few {
			if seen == nil {
				seen = make(map[scalar]bool)
			}
			seen[scalar{k.kind, k.s}] = true
		}
	}
	return nil
}

func (e *ednReader) collection(kind ednKind, end byte, depth int) (form, error) {
	f := form{kind: kind}
	if _, err := e.r.ReadByte(); err != nil {
		return f, e.fail(err)
	}
	for {
		c, err := e.peek(depth)
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
		if digits := strings.TrimLeft(tok, "+-"); digits[0] == '0' && n != "0" {
			return form{}, e.errorf("the number %s begins with 0, which can be read as octal", tok)
		}
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

// SPDX-License-Identifier: Apache-2.0

package history

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ParseJSON reads one operation from one line of JSONL and validates it. It
// refuses what encoding/json would quietly repair (a field given twice, text
// that is not UTF-8, half a surrogate pair), since a repaired value could
// equal another one.
func ParseJSON(line []byte) (Op, error) {
	var op Op
	if scanLine(line, &op) {
		return op.Clone(), nil
	}
	return parseJSON(line)
}

// parseJSON reads a line in whatever form, which takes longer than scanLine.
func parseJSON(line []byte) (Op, error) {
	p := parser{b: line}
	op, err := p.op()
	if err != nil {
		return Op{}, err
	}
	return op, op.Validate()
}

// parser walks one line. It exists because encoding/json takes several
// microseconds a line, and histories have millions.
type parser struct {
	b    []byte
	i    int
	seen uint32
}

const (
	seenClient = 1 << iota
	seenKey
	seenOp
	seenValue
	seenExpected
	seenObserved
	seenCall
	seenReturn
	seenOutcome
	seenRefuted
	seenWriter
	seenObservedWriter
	seenHost
	seenByHost
	seenByNode
	seenByTerm
	seenByApplied
	seenSession
	seenCluster
	seenSeq
	seenID
)

func (p *parser) op() (Op, error) {
	var op Op
	if err := p.expect('{'); err != nil {
		return op, err
	}
	p.space()
	if p.peek() == '}' {
		p.i++
	} else {
		for {
			if err := p.field(&op); err != nil {
				return op, err
			}
			p.space()
			if p.peek() == ',' {
				p.i++
				continue
			}
			if err := p.expect('}'); err != nil {
				return op, err
			}
			break
		}
	}
	p.space()
	if p.i != len(p.b) {
		return op, fmt.Errorf("column %d: something follows the operation's object", p.i+1)
	}
	return op, p.complete(&op)
}

func (p *parser) complete(op *Op) error {
	if p.seen&seenOp == 0 {
		return errors.New("the operation has no \"op\"")
	}
	if p.seen&seenCall == 0 {
		return errors.New("the operation has no \"call\"")
	}
	if p.seen&seenOutcome == 0 {
		return errors.New("the operation has no \"outcome\"")
	}
	if p.seen&seenReturn == 0 && op.Outcome != Unknown {
		return fmt.Errorf("an operation with outcome %s needs \"return\"", op.Outcome)
	}
	if op.Outcome == Unknown {
		op.Return = 0
	}
	return nil
}

func (p *parser) field(op *Op) error {
	name, err := p.str()
	if err != nil {
		return err
	}
	if err := p.expect(':'); err != nil {
		return err
	}
	p.space()
	mark := fieldMark(name)
	if p.seen&mark != 0 {
		return fmt.Errorf("field %q is given twice", name)
	}
	p.seen |= mark
	if err := p.assign(op, mark, name); err != nil {
		return fmt.Errorf("field %q: %w", name, err)
	}
	return nil
}

func fieldMark(name string) uint32 {
	switch name {
	case "client":
		return seenClient
	case "key":
		return seenKey
	case "op":
		return seenOp
	case "value":
		return seenValue
	case "expected":
		return seenExpected
	case "observed":
		return seenObserved
	case "call":
		return seenCall
	case "return":
		return seenReturn
	case "outcome":
		return seenOutcome
	case "refuted":
		return seenRefuted
	case "writer":
		return seenWriter
	case "observed_writer":
		return seenObservedWriter
	case "host":
		return seenHost
	case "by_host":
		return seenByHost
	case "by_node":
		return seenByNode
	case "by_term":
		return seenByTerm
	case "by_applied":
		return seenByApplied
	case "session":
		return seenSession
	case "cluster":
		return seenCluster
	case "seq":
		return seenSeq
	case "id":
		return seenID
	}
	return 0
}

func (p *parser) assign(op *Op, mark uint32, name string) (err error) {
	switch mark {
	case seenClient:
		op.Client, err = p.int()
	case seenKey:
		op.Key, err = p.str()
	case seenOp:
		op.Kind, err = p.kind()
	case seenValue:
		op.Value, err = p.value()
	case seenExpected:
		op.Expected, err = p.value()
	case seenObserved:
		op.Observed, err = p.value()
	case seenCall:
		op.Call, err = p.int()
	case seenReturn:
		if p.null() {
			p.seen &^= seenReturn
			return nil
		}
		op.Return, err = p.int()
	case seenOutcome:
		op.Outcome, err = p.outcome()
	case seenRefuted:
		op.Refuted, err = p.bool()
	case seenWriter:
		op.Writer, err = p.str()
	case seenObservedWriter:
		op.ObservedWriter, err = p.str()
	case seenHost:
		op.Host, err = p.str()
	case seenByHost:
		op.answeredBy().Host, err = p.str()
	case seenByNode:
		op.answeredBy().Node, err = p.uint()
	case seenByTerm:
		op.answeredBy().Term, err = p.uint()
	case seenByApplied:
		op.answeredBy().Applied, err = p.uint()
	case seenSession:
		op.Session, err = p.str()
	case seenCluster:
		op.Cluster, err = p.uint()
	case seenSeq:
		op.Seq, err = p.uint()
	case seenID:
		op.ID, err = p.uint()
	default:
		err = p.extra(op, name)
	}
	return err
}

func (p *parser) kind() (Kind, error) {
	s, err := p.str()
	switch s { // constants keep the line's bytes from being retained
	case "get":
		return Get, err
	case "put":
		return Put, err
	case "cas":
		return Cas, err
	case "append":
		return Append, err
	case "delete":
		return Delete, err
	}
	return Kind(strings.Clone(s)), err
}

func (p *parser) outcome() (Outcome, error) {
	s, err := p.str()
	if err != nil {
		return "", err
	}
	switch s {
	case "ok":
		return OK, nil
	case "fail":
		return Fail, nil
	case "unknown":
		return Unknown, nil
	}
	return "", fmt.Errorf("%q is none of ok, fail, unknown", s)
}

func (p *parser) value() (Value, error) {
	switch c := p.peek(); {
	case c == '"':
		s, err := p.str()
		return String(s), err
	case c == 'n':
		if p.null() {
			return Absent, nil
		}
	case c == 't' || c == 'f':
		b, err := p.bool()
		return Bool(b), err
	case c == '-' || c >= '0' && c <= '9':
		tok := p.token()
		if s, ok := canonicalInteger(tok); ok && json.Valid([]byte(tok)) {
			return Value{kind: integer, s: s}, nil
		}
		return Value{}, fmt.Errorf("column %d: %s is not an integer; a value is a string, an integer, true, false or null", p.i+1, tok)
	}
	return Value{}, fmt.Errorf("column %d: a value is a string, an integer, true, false or null", p.i+1)
}

func (p *parser) extra(op *Op, name string) error {
	start := p.i
	if err := p.skip(); err != nil {
		return err
	}
	raw := bytes.TrimSpace(p.b[start:p.i])
	if !utf8.Valid(raw) || !json.Valid(raw) {
		return errors.New("its value is not valid JSON")
	}
	if op.Extra == nil {
		op.Extra = make(map[string]json.RawMessage)
	}
	if _, twice := op.Extra[name]; twice {
		return errors.New("is given twice")
	}
	op.Extra[strings.Clone(name)] = append(json.RawMessage(nil), raw...)
	return nil
}

// skip moves over one JSON value without judging it.
func (p *parser) skip() error {
	depth := 0
	for p.i < len(p.b) {
		switch p.b[p.i] {
		case '"':
			if _, err := p.rawString(); err != nil {
				return err
			}
			if depth == 0 {
				return nil
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				p.i++
				return nil
			}
			if depth < 0 {
				return nil
			}
		case ',':
			if depth == 0 {
				return nil
			}
		}
		p.i++
	}
	return fmt.Errorf("column %d: the line ends inside a value", p.i+1)
}

func (p *parser) space() {
	for p.i < len(p.b) {
		switch p.b[p.i] {
		case ' ', '\t', '\r', '\n':
			p.i++
		default:
			return
		}
	}
}

func (p *parser) peek() byte {
	if p.i < len(p.b) {
		return p.b[p.i]
	}
	return 0
}

func (p *parser) expect(c byte) error {
	p.space()
	if p.i >= len(p.b) {
		return fmt.Errorf("column %d: the line ends where %q is expected", p.i+1, c)
	}
	if p.b[p.i] != c {
		return fmt.Errorf("column %d: found %q where %q is expected", p.i+1, p.b[p.i], c)
	}
	p.i++
	return nil
}

func (p *parser) null() bool {
	if p.i+4 <= len(p.b) && string(p.b[p.i:p.i+4]) == "null" {
		p.i += 4
		return true
	}
	return false
}

func (p *parser) bool() (bool, error) {
	start := p.i
	switch p.token() {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	p.i = start
	return false, fmt.Errorf("column %d: %s is neither true nor false", p.i+1, p.given())
}

// token takes what stands up to the next delimiter.
func (p *parser) token() string {
	start := p.i
	for p.i < len(p.b) {
		switch p.b[p.i] {
		case ',', '}', ']', ' ', '\t', '\r', '\n', ':', '"', '{', '[':
			return string(p.b[start:p.i])
		}
		p.i++
	}
	return string(p.b[start:p.i])
}

func (p *parser) int() (int64, error) {
	start, neg := p.i, false
	if p.peek() == '-' {
		neg = true
		p.i++
	}
	zero := p.peek() == '0' // JSON's numbers begin with it only if they are it
	n, digits := int64(0), 0
	for p.i < len(p.b) && p.b[p.i] >= '0' && p.b[p.i] <= '9' && digits < 18 {
		n = n*10 + int64(p.b[p.i]-'0')
		digits++
		p.i++
	}
	if digits > 0 && digits < 18 && !(zero && digits > 1) && p.delimited() {
		if neg {
			n = -n
		}
		return n, nil
	}
	p.i = start
	tok := p.token()
	n, err := strconv.ParseInt(tok, 10, 64)
	if err != nil || !json.Valid([]byte(tok)) {
		p.i = start
		return 0, fmt.Errorf("%s is not an integer of 64 bits", p.given())
	}
	return n, nil
}

func (p *parser) delimited() bool {
	switch p.peek() {
	case ',', '}', ' ', '\t', '\r', '\n', 0:
		return true
	}
	return false
}

func (p *parser) uint() (uint64, error) {
	start := p.i
	tok := p.token()
	n, err := strconv.ParseUint(tok, 10, 64)
	if err != nil || len(tok) > 1 && tok[0] == '0' {
		p.i = start
		return 0, fmt.Errorf("%s is not an unsigned integer of 64 bits", p.given())
	}
	return n, nil
}

// given is the value that comes next, as far as it is worth showing.
func (p *parser) given() string {
	const most = 40
	rest := &parser{b: p.b, i: p.i}
	if rest.skip() != nil || rest.i == p.i {
		return "nothing"
	}
	text := strings.TrimSpace(string(p.b[p.i:rest.i]))
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

// rawString moves over a string and returns it with its quotes.
func (p *parser) rawString() ([]byte, error) {
	start := p.i
	p.i++
	for p.i < len(p.b) {
		switch p.b[p.i] {
		case '"':
			p.i++
			return p.b[start:p.i], nil
		case '\\':
			p.i++
		}
		p.i++
	}
	p.i = len(p.b)
	return nil, fmt.Errorf("column %d: the string that begins here does not end", start+1)
}

func (p *parser) str() (string, error) {
	p.space()
	if p.peek() != '"' {
		return "", fmt.Errorf("column %d: a string is expected", p.i+1)
	}
	raw, err := p.rawString()
	if err != nil {
		return "", err
	}
	body, plain := raw[1:len(raw)-1], true
	for _, c := range body {
		if c == '\\' || c < 0x20 || c >= 0x80 {
			plain = false
			break
		}
	}
	if plain {
		return string(body), nil
	}
	return unquote(raw)
}

func unquote(raw []byte) (string, error) {
	if !utf8.Valid(raw) {
		return "", fmt.Errorf("%.40q is not UTF-8", raw)
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return "", fmt.Errorf("%.40q is not a JSON string: %w", raw, err)
	}
	// encoding/json turns half a surrogate pair into U+FFFD: two different
	// texts would become one.
	made := strings.Count(s, "\uFFFD")
	meant := strings.Count(string(raw), "\uFFFD") + strings.Count(strings.ToLower(string(raw)), `\ufffd`)
	if made > meant {
		return "", fmt.Errorf("%.40q holds half a surrogate pair", raw)
	}
	return s, nil
}

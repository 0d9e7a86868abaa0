// SPDX-License-Identifier: Apache-2.0

package history

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Format names a way to write a history down.
type Format string

// The formats. Auto finds out which one an input is in.
const (
	Auto   Format = "auto"
	JSONL  Format = "jsonl"
	EDN    Format = "edn"
	Jepsen Format = "jepsen"
)

// NewSource reads a history in the given format. The name stands in errors.
func NewSource(name string, r io.Reader, format Format) (Source, error) {
	if format == Auto || format == "" {
		br := bufio.NewReaderSize(r, 1<<18)
		var err error
		if format, err = detect(name, br); err != nil {
			return nil, err
		}
		r = br
	}
	switch format {
	case JSONL:
		return NewJSONL(name, r), nil
	case EDN:
		return NewEDN(name, r), nil
	case Jepsen:
		return NewJepsen(name, r), nil
	}
	return nil, fmt.Errorf("format %q is none of auto, jsonl, edn, jepsen", format)
}

// Write writes operations in the given format.
func Write(w io.Writer, ops []Op, format Format) error {
	bw := bufio.NewWriterSize(w, 1<<18)
	var err error
	switch format {
	case JSONL:
		err = WriteJSONL(bw, ops)
	case EDN:
		err = WriteEDN(bw, ops)
	case Jepsen:
		err = WriteJepsen(bw, ops)
	default:
		err = fmt.Errorf("format %q is none of jsonl, edn, jepsen", format)
	}
	return errors.Join(err, bw.Flush())
}

// ReadFile reads a whole history file; see OpenFile for what it unpacks.
func ReadFile(path string, format Format) ([]Op, error) {
	f, err := OpenFile(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	src, err := NewSource(path, f, format)
	if err != nil {
		return nil, err
	}
	return ReadAll(src)
}

// detect looks at the beginning of an input without consuming it.
func detect(name string, r *bufio.Reader) (Format, error) {
	head, err := r.Peek(1 << 16)
	if err != nil && err != io.EOF && err != bufio.ErrBufferFull && len(head) == 0 {
		return "", &InputError{File: name, Err: readError(err)}
	}
	text := bytes.TrimLeft(head, " \t\r\n,")
	if len(text) == 0 {
		return "", &InputError{File: name, Err: errors.New("is empty")}
	}
	switch text[0] {
	case '{':
		if inner := bytes.TrimLeft(text[1:], " \t\r\n"); len(inner) > 0 && inner[0] == ':' {
			return EDN, nil
		}
		return JSONL, nil
	case '[', '(', '#', ';':
		return EDN, nil
	}
	if bytes.Contains(head, []byte("jepsen.util")) {
		return Jepsen, nil
	}
	return "", &InputError{File: name, Line: 1, Err: errors.New("is neither JSONL, nor EDN, nor a Jepsen log")}
}

// LineOf returns the line that a source of this package read last, 0 for
// another source.
func LineOf(s Source) int {
	switch s := s.(type) {
	case *jsonl:
		return s.in.line
	case *edn:
		return s.in.line
	case *jepsen:
		return s.in.line
	}
	return 0
}

// SPDX-License-Identifier: Apache-2.0

package history

import (
	"bufio"
	"bytes"
	"context"
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

// newSource reads a history in the given format. The name stands in errors.
func newSource(name string, r io.Reader, format Format) (Source, error) {
	blank := 0
	if format == Auto || format == "" {
		br := bufio.NewReaderSize(r, 1<<18)
		var err error
		if format, blank, err = detect(name, br); err != nil {
			return nil, err
		}
		r = br
	}
	switch format {
	case JSONL:
		return &jsonl{in: newLines(name, r, blank)}, nil
	case EDN:
		return &edn{in: newEDNReader(name, r, blank), pair: newPairing()}, nil
	case Jepsen:
		return &jepsen{in: newLines(name, r, blank), pair: newPairing()}, nil
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
		err = writeEDN(bw, ops)
	case Jepsen:
		err = writeJepsen(bw, ops)
	default:
		err = fmt.Errorf("format %q is none of jsonl, edn, jepsen", format)
	}
	return errors.Join(err, bw.Flush())
}

// ReadFile reads a whole history file; see openFile for what it unpacks. The
// error lists every mistake.
func ReadFile(path string, format Format) ([]Op, error) {
	var parts []*[]Op
	err := ReadParts(context.Background(), path, format, func() Collector {
		part := new([]Op)
		parts = append(parts, part)
		return func(op *Op) error {
			*part = append(*part, op.Clone())
			return nil
		}
	})
	if err != nil {
		return nil, err
	}
	if len(parts) == 1 {
		return *parts[0], nil
	}
	var ops []Op
	for _, part := range parts {
		ops = append(ops, *part...)
	}
	return ops, nil
}

const detectBytes = 1 << 16

// detect looks at the beginning of an input without consuming it, but for
// blank lines that leave nothing else to see; it returns how many.
func detect(name string, r *bufio.Reader) (f Format, blank int, err error) {
	for {
		head, err := r.Peek(detectBytes)
		if err != nil && err != io.EOF && len(head) == 0 {
			return "", blank, &InputError{File: name, Err: readError(err)}
		}
		if text := trimBlank(head); len(text) > 0 {
			f, err := formatOf(head, text)
			if err != nil {
				return "", blank, &InputError{File: name, Line: blank + 1 + bytes.Count(head[:len(head)-len(text)], []byte("\n")), Err: err}
			}
			return f, blank, nil
		}
		if len(head) < detectBytes {
			return "", blank, &InputError{File: name, Err: errors.New("is empty")}
		}
		last := bytes.LastIndexByte(head, '\n') + 1
		if last == 0 { // a line of spaces
			last = len(head)
		}
		blank += bytes.Count(head[:last], []byte("\n"))
		if _, err := r.Discard(last); err != nil {
			return "", blank, &InputError{File: name, Err: readError(err)}
		}
	}
}

// trimBlank leaves out what stands in front of the first form of a history.
func trimBlank(head []byte) []byte {
	return bytes.TrimLeft(bytes.TrimPrefix(head, []byte(byteOrderMark)), " \t\r\n,")
}

// formatOf finds out a format by how an input begins; text is head without what is
// blank.
func formatOf(head, text []byte) (Format, error) {
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
	if bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff")) {
		return "", errors.New("is UTF-16; a history is UTF-8")
	}
	return "", errors.New("is neither JSONL, nor EDN, nor a Jepsen log")
}

// positionOf returns the name of the input that a source of this package reads,
// and the line that it read last.
func positionOf(s Source) (file string, line int) {
	switch s := s.(type) {
	case *jsonl:
		return s.in.file, s.in.line
	case *edn:
		return s.in.file, s.in.line
	case *jepsen:
		return s.in.file, s.in.line
	}
	return "", 0
}

// SPDX-License-Identifier: Apache-2.0

package history

import (
	"bytes"
	"context"
	"io"
)

// A Source hands out operations one by one and ends with io.EOF. Another error
// is a mistake of the input, an *InputError: the next call goes on behind it,
// or ends with io.EOF if there is no way to.
type Source interface {
	Next() (Op, error)
}

// NewJSONL reads JSONL, one operation a line, in constant memory. Empty lines
// are skipped. The name stands in errors.
func NewJSONL(name string, r io.Reader) Source {
	return &jsonl{in: newLines(name, r, 0)}
}

type jsonl struct {
	in *lines
	op Op
}

func (j *jsonl) Next() (Op, error) {
	op, err := j.borrow()
	if err != nil {
		return Op{}, err
	}
	return op.Clone(), nil
}

// borrow returns the next operation, which holds until the next call.
func (j *jsonl) borrow() (*Op, error) {
	for {
		line, err := j.in.next()
		if err != nil {
			return nil, err
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if err := parseLine(line, &j.op); err != nil {
			return nil, j.in.wrap(err)
		}
		return &j.op, nil
	}
}

// parseLine reads a line into op, whose texts may be those of the line.
func parseLine(line []byte, op *Op) (err error) {
	if !scanLine(line, op) {
		*op, err = parseJSON(line)
	}
	return err
}

// ReadAll collects what a source holds. The error lists every mistake.
func ReadAll(s Source) ([]Op, error) {
	var ops []Op
	err := readSource(context.Background(), s, func(op *Op) error {
		ops = append(ops, op.Clone())
		return nil
	})
	return ops, err
}

// WriteJSONL writes operations, one a line.
func WriteJSONL(w io.Writer, ops []Op) error {
	var b []byte
	for i := range ops {
		var err error
		if b, err = ops[i].AppendJSON(b[:0]); err != nil {
			return err
		}
		if _, err = w.Write(b); err != nil {
			return err
		}
	}
	return nil
}

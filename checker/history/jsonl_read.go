// SPDX-License-Identifier: Apache-2.0

package history

import (
	"bytes"
	"io"
)

// A Source hands out operations one by one and ends with io.EOF. Any other
// error is an *InputError, or one of the reader beneath, and final.
type Source interface {
	Next() (Op, error)
}

// NewJSONL reads JSONL, one operation a line, in constant memory. Empty lines
// are skipped. The name stands in errors.
func NewJSONL(name string, r io.Reader) Source {
	return &jsonl{newLines(name, r, 0)}
}

type jsonl struct{ in *lines }

func (j *jsonl) Next() (Op, error) {
	for {
		line, err := j.in.next()
		if err != nil {
			return Op{}, err
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		op, err := ParseJSON(line)
		if err != nil {
			return Op{}, j.in.wrap(err)
		}
		return op, nil
	}
}

// ReadAll collects what a source holds.
func ReadAll(s Source) ([]Op, error) {
	var ops []Op
	for {
		op, err := s.Next()
		if err == io.EOF {
			return ops, nil
		}
		if err != nil {
			return ops, err
		}
		ops = append(ops, op)
	}
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

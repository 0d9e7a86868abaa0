// SPDX-License-Identifier: Apache-2.0

package history

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"runtime"

	"github.com/drumbeat-raft/drumbeat/checker/internal/parallel"
)

// A Collector takes in the operations of one part of an input, in their order.
// The operation and its texts belong to the reader again when it returns: to
// keep some of it, copy it (Op.Clone). The error that it returns is a mistake
// of the input, at the operation's line.
type Collector func(op *Op) error

// ReadParts reads a history file, and gives its operations to collectors; "-"
// is standard input. A plain JSONL file of some size is read in several parts
// at the same time, anything else in one. begin is called once for each part,
// in the order of the parts, before anything is read.
//
// The error lists every mistake of the input (an *InputError, or
// *InputErrors), or is the context's.
func ReadParts(ctx context.Context, path string, format Format, begin func() Collector) error {
	if f, size, ok := openPlainJSONL(path, format); ok {
		defer f.Close()
		return readSegments(ctx, path, f, size, begin)
	}
	in, err := openFile(path)
	if err != nil {
		return err
	}
	defer in.Close()
	src, err := newSource(path, in, format)
	if err != nil {
		return err
	}
	return readSource(ctx, src, begin())
}

// readSource reads all of a source.
func readSource(ctx context.Context, src Source, do Collector) error {
	var wrong mistakes
	for n := 0; ; n++ {
		if n&0xff == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		op, err := next(src)
		if err == io.EOF {
			return wrong.err()
		}
		if err == nil {
			if err = do(op); err != nil {
				file, line := positionOf(src)
				err = &InputError{File: file, Line: line, Err: err}
			}
		}
		if err != nil {
			if err := wrong.add(err); err != nil {
				return err
			}
		}
	}
}

// next returns the next operation, borrowed if that is possible.
func next(src Source) (*Op, error) {
	if j, ok := src.(*jsonl); ok {
		return j.borrow()
	}
	op, err := src.Next()
	return &op, err
}

// openPlainJSONL opens a file if it is a regular one that holds JSONL as it
// is; whatever else it may be is found out, and refused, on another way.
func openPlainJSONL(path string, format Format) (f *os.File, size int64, ok bool) {
	if path == "-" || format != Auto && format != JSONL && format != "" {
		return nil, 0, false
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, false
	}
	st, err := f.Stat()
	if err != nil || !st.Mode().IsRegular() || st.Size() == 0 {
		f.Close()
		return nil, 0, false
	}
	head := make([]byte, min(st.Size(), detectBytes))
	if _, err := f.ReadAt(head, 0); err != nil || compressionOf(head) != "" || format != JSONL && !looksLikeJSONL(head) {
		f.Close()
		return nil, 0, false
	}
	return f, st.Size(), true
}

func looksLikeJSONL(head []byte) bool {
	text := trimBlank(head)
	if len(text) == 0 {
		return false
	}
	f, err := formatOf(head, text)
	return err == nil && f == JSONL
}

const (
	// segmentBytes is the least length of a part: below it another goroutine
	// does not pay.
	segmentBytes = 1 << 20
	// segmentsPerCore is how many parts each core gets, so that none has to
	// wait long for the last one.
	segmentsPerCore = 4
	// bufferBytes is read at once. It stays in the core's cache.
	bufferBytes = 256 << 10
)

// readSegments reads a JSONL file in parts that are cut at newlines.
func readSegments(ctx context.Context, path string, f io.ReaderAt, size int64, begin func() Collector) error {
	n := int64(1)
	if cores := int64(runtime.GOMAXPROCS(0)); cores > 1 {
		n = max(1, min(size/segmentBytes, segmentsPerCore*cores))
	}
	segments := make([]segment, n)
	for i := range segments {
		segments[i] = segment{path: path, from: size * int64(i) / n, to: size * int64(i+1) / n, size: size, do: begin()}
	}
	errs := make([]error, n)
	parallel.Each(len(segments), len(segments), func() func(int) {
		buffer := make([]byte, bufferBytes)
		return func(i int) { buffer, errs[i] = segments[i].read(ctx, f, buffer) }
	})
	if err := errors.Join(errs...); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return err
	}
	var wrong mistakes
	lines := 0
	for i := range segments {
		wrong.join(&segments[i].wrong, lines)
		lines += segments[i].lines
	}
	return wrong.err()
}

// segment is a part of a file: the lines that begin in it.
type segment struct {
	path           string
	from, to, size int64
	do             Collector
	lines          int // that were read
	wrong          mistakes
	op             Op
}

// read reads the lines of the segment. It uses a buffer, and returns it, or
// a greater one.
func (s *segment) read(ctx context.Context, f io.ReaderAt, buffer []byte) ([]byte, error) {
	at := s.from // where the buffer begins in the file
	foreign := at > 0
	if foreign {
		at-- // a line that begins in front of the segment ends at or behind this
	}
	for have := 0; ; {
		if ctx.Err() != nil {
			return buffer, ctx.Err()
		}
		n, err := f.ReadAt(buffer[have:min(int64(len(buffer)), s.size-at)], at+int64(have))
		if have += n; err != nil && (err != io.EOF || at+int64(have) < s.size) {
			return buffer, &InputError{File: s.path, Err: readError(err)}
		}
		done := 0
		for text := buffer[:have]; ; {
			if at+int64(done) >= s.to {
				return buffer, nil
			}
			end := bytes.IndexByte(text[done:], '\n')
			if end < 0 {
				if at+int64(have) < s.size {
					break
				}
				end = have - done // the last line
			}
			line := text[done : done+end]
			if done += end + 1; foreign {
				foreign = false
				continue
			}
			s.line(line)
		}
		if done == 0 && have == len(buffer) {
			if len(buffer) > MaxLine {
				s.lines++
				s.mistake(errLongLine)
				return buffer, nil
			}
			buffer = append(buffer, make([]byte, len(buffer))...)
		}
		copy(buffer, buffer[done:have])
		have -= done
		at += int64(done)
	}
}

func (s *segment) line(line []byte) {
	s.lines++
	if s.from == 0 && s.lines == 1 {
		line = bytes.TrimPrefix(line, []byte(byteOrderMark))
	}
	line = bytes.TrimSuffix(line, []byte("\r"))
	if len(line) > 0 && line[0] != '{' && len(bytes.TrimSpace(line)) == 0 || len(line) == 0 {
		return
	}
	if err := parseLine(line, &s.op); err != nil {
		s.mistake(err)
	} else if err := s.do(&s.op); err != nil {
		s.mistake(err)
	}
}

func (s *segment) mistake(err error) {
	_ = s.wrong.add(&InputError{File: s.path, Line: s.lines, Err: err}) // is an *InputError
}

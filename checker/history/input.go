// SPDX-License-Identifier: Apache-2.0

package history

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// InputError says where an input is wrong, and how. Line counts from 1 and
// is 0 where the whole file is meant.
type InputError struct {
	File string
	Line int
	Err  error
}

// Error returns FILE:LINE: what is wrong.
func (e *InputError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %v", e.File, e.Err)
	}
	return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Err)
}

// Unwrap returns what is wrong without the place.
func (e *InputError) Unwrap() error { return e.Err }

// MaxLine is the length in bytes above which a line is refused.
const MaxLine = 64 << 20

// byteOrderMark is what some programs write before UTF-8. It says nothing.
const byteOrderMark = "\uFEFF"

// lines hands out an input line by line and remembers which one it is at.
// Other than bufio.Scanner it reports whether the last line was cut short.
type lines struct {
	file  string
	ended bool // an error was final
	r     *bufio.Reader
	line  int
	buf   []byte
}

// newLines reads lines after those that were read before.
func newLines(file string, r io.Reader, before int) *lines {
	return &lines{file: file, r: bufio.NewReaderSize(r, 1<<16), line: before}
}

// next returns the next line without its newline; the bytes hold until the
// next call. io.EOF ends the input; a read error is an *InputError, and io.EOF
// follows it.
func (l *lines) next() ([]byte, error) {
	if l.ended {
		return nil, io.EOF
	}
	b, err := l.r.ReadSlice('\n')
	if err == bufio.ErrBufferFull {
		l.buf = append(l.buf[:0], b...)
		for err == bufio.ErrBufferFull && len(l.buf) <= MaxLine {
			b, err = l.r.ReadSlice('\n')
			l.buf = append(l.buf, b...)
		}
		b = l.buf
		if len(b) > MaxLine {
			l.line++
			l.ended = true
			return nil, l.wrap(errLongLine)
		}
	}
	if l.line == 0 {
		b = bytes.TrimPrefix(b, []byte(byteOrderMark))
	}
	if len(b) == 0 && err == io.EOF {
		return nil, io.EOF
	}
	l.line++
	if err != nil && err != io.EOF {
		l.ended = true
		return b, &InputError{File: l.file, Line: l.line, Err: readError(err)}
	}
	return bytes.TrimSuffix(bytes.TrimSuffix(b, []byte("\n")), []byte("\r")), nil
}

func (l *lines) wrap(err error) error {
	return &InputError{File: l.file, Line: l.line, Err: err}
}

var errLongLine = fmt.Errorf("the line is longer than %d bytes; what follows was not read", MaxLine)

var errCut = errors.New("the compressed file is cut short here")

func readError(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return errCut
	}
	return fmt.Errorf("the input can't be read on: %w", err)
}

// openFile opens a file for reading and unpacks it by what it holds (gzip or
// zstd), whatever its name; "-" is standard input.
func openFile(path string) (io.ReadCloser, error) {
	if path == "-" {
		return unpack(path, io.NopCloser(os.Stdin))
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, &InputError{File: path, Err: plainPathError(err)}
	}
	if st, err := f.Stat(); err == nil && st.IsDir() {
		f.Close()
		return nil, &InputError{File: path, Err: errors.New("is a directory, not a history")}
	}
	return unpack(path, f)
}

func plainPathError(err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

type unpacked struct {
	io.Reader
	close func() error
}

func (u *unpacked) Close() error { return u.close() }

// compressionOf says how a file that begins so is packed, "" for not at all.
func compressionOf(head []byte) string {
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return "gzip"
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return "zstd"
	}
	return ""
}

func unpack(path string, f io.ReadCloser) (io.ReadCloser, error) {
	br := bufio.NewReaderSize(f, 1<<16)
	magic, _ := br.Peek(4)
	switch compression := compressionOf(magic); {
	case compression == "gzip":
		zr, err := gzip.NewReader(br)
		if err != nil {
			f.Close()
			return nil, &InputError{File: path, Err: fmt.Errorf("is not a gzip file: %w", err)}
		}
		return &unpacked{zr, f.Close}, nil
	case compression == "zstd":
		zr, err := zstd.NewReader(br, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(1<<27))
		if err != nil {
			f.Close()
			return nil, &InputError{File: path, Err: fmt.Errorf("is not a zstd file: %w", err)}
		}
		return &unpacked{zr, func() error { zr.Close(); return f.Close() }}, nil
	case len(magic) == 0 && (strings.HasSuffix(path, ".gz") || strings.HasSuffix(path, ".zst")):
		f.Close()
		return nil, &InputError{File: path, Err: errors.New("is empty, so it is no compressed file")}
	}
	return &unpacked{br, f.Close}, nil
}

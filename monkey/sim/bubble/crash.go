// SPDX-License-Identifier: Apache-2.0

package bubble

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
)

// Limits of what is kept of a crash.
const (
	maxMessageLines = 50   // that are kept of a message
	maxOpeningLines = 2000 // before the goroutine: an error may hold stacks of its own
	maxStack        = 64 << 10
)

// Crash is the panic or fatal error that ended a Go process.
type Crash struct {
	// Message is what comes after "panic: " or "fatal error: ".
	Message string
	// Labels are those of the goroutine that crashed; see package runtime/pprof.
	Labels map[string]string
	// Stack is the text from the first goroutine on, at most 64 KiB of it.
	Stack string
}

// Deadlock reports whether synctest ended the process, because everything in the
// bubble waited forever.
func (c *Crash) Deadlock() bool { return c != nil && strings.HasPrefix(c.Message, "deadlock: ") }

func (c *Crash) String() string { return c.Message + "\n\n" + c.Stack }

// readCrash finds the crash in a log; there need not be one.
func readCrash(log string) (*Crash, error) {
	f, err := os.Open(log)
	if err != nil {
		return nil, fmt.Errorf("look for a crash in the log of the child process: %w", err)
	}
	defer f.Close()
	c, err := parseCrash(f)
	if err != nil {
		return nil, fmt.Errorf("look for a crash in the log of the child process %s: %w", log, err)
	}
	return c, nil
}

// parseCrash finds the last crash in what a Go process wrote to stderr, between
// whatever else it wrote: a line that says so, the rest of the message, and the
// first goroutine. It returns nil when there is none.
func parseCrash(r io.Reader) (*Crash, error) {
	in := bufio.NewReader(r)
	var p crashParser
	for {
		line, err := in.ReadString('\n')
		p.line(line)
		if errors.Is(err, io.EOF) {
			return p.crash(), nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// crashParser is fed a log line by line.
type crashParser struct {
	opening []string // a message that no stack has followed yet; nil: none
	opened  int      // how many lines ago
	message []string // of the last crash; nil: none
	stack   bytes.Buffer
}

func (p *crashParser) line(line string) {
	switch text, isOpening := opens(line); {
	case isOpening:
		p.opening, p.opened = []string{text}, 0
	case p.opening != nil && strings.HasPrefix(line, "goroutine ") && strings.Contains(line, "["):
		p.message, p.opening = p.opening, nil
		p.stack.Reset()
		p.stack.WriteString(line[:min(len(line), maxStack)])
	case p.opening != nil && p.opened < maxOpeningLines:
		if p.opened++; len(p.opening) < maxMessageLines {
			p.opening = append(p.opening, line)
		}
	case p.opening != nil:
		p.opening = nil // a log line that only looked like a crash
	case p.message != nil && p.stack.Len()+len(line) <= maxStack:
		p.stack.WriteString(line)
	}
}

func (p *crashParser) crash() *Crash {
	if p.message == nil {
		return nil
	}
	message := strings.TrimSpace(strings.Join(p.message, ""))
	message = strings.TrimSuffix(message, " [recovered, repanicked]")
	stack := strings.TrimSpace(p.stack.String())
	header, _, _ := strings.Cut(stack, "\n")
	return &Crash{Message: message, Labels: labelsIn(header), Stack: stack}
}

var labelPattern = regexp.MustCompile(`"([^"]*)": "([^"]*)"`)

// labelsIn reads the labels in the first line of a goroutine's stack.
func labelsIn(header string) map[string]string {
	_, text, ok := strings.Cut(header, " labels:{")
	if !ok {
		return nil
	}
	labels := map[string]string{}
	for _, m := range labelPattern.FindAllStringSubmatch(text, -1) {
		labels[m[1]] = m[2]
	}
	return labels
}

// opens reports whether a line is the first of a crash, and what its message is.
func opens(line string) (string, bool) {
	for _, prefix := range []string{"panic: ", "fatal error: "} {
		if m, ok := strings.CutPrefix(line, prefix); ok {
			return m, true
		}
	}
	return line, strings.HasPrefix(line, "SIG") && strings.Contains(line, ": ")
}

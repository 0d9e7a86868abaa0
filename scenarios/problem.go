// SPDX-License-Identifier: Apache-2.0

package scenarios

import (
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with a scenario: what was found, where,
// and what was expected.
type Problem struct {
	File string // the file, or the --set that brought the value
	Line int    // from 1; 0 when File is not a file
	Path string // the field, such as faults[2].every; empty: the whole file
	Text string
}

// String returns 'file:line: path: text'.
func (p Problem) String() string {
	place := p.File
	if p.Line > 0 {
		place = fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	if p.Path != "" {
		place += ": " + p.Path
	}
	return place + ": " + p.Text
}

// Problems is the error for an invalid scenario: all that was found wrong, in
// the order of the file, one on a line.
type Problems []Problem

// Error implements error.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "\n")
}

// place is where a value was given.
type place struct {
	file string
	line int
}

// places remembers where each field was given, by path.
type places map[string]place

// at returns where path, or else the nearest enclosing field, was given.
func (p places) at(path string) place {
	for path != "" {
		if found, ok := p[path]; ok {
			return found
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return p[""]
}

// problems collects what is wrong.
type problems struct {
	where places
	found Problems
	// unread are the paths of fields whose value could not be read, or is
	// missing although required. Rules that depend on one are left out.
	unread map[string]bool
}

func (p *problems) add(path, format string, args ...any) {
	at := p.where.at(path)
	p.found = append(p.found, Problem{File: at.file, Line: at.line, Path: path, Text: fmt.Sprintf(format, args...)})
}

// fail adds the problem that a field could not be read.
func (p *problems) fail(path, format string, args ...any) {
	p.add(path, format, args...)
	p.unread[path] = true
}

// read reports whether the fields at all these paths, what encloses them and
// what they hold could be read, so that a rule about them says something.
func (p *problems) read(paths ...string) bool {
	for unread := range p.unread {
		for _, path := range paths {
			if within(path, unread) || within(unread, path) {
				return false
			}
		}
	}
	return true
}

// within reports whether the field at path is, or is in, the one at outer.
func within(path, outer string) bool {
	rest, ok := strings.CutPrefix(path, outer)
	return ok && (rest == "" || outer == "" || rest[0] == '.' || rest[0] == '[')
}

// err returns the problems in the order of the file, or nil.
func (p *problems) err() error {
	if len(p.found) == 0 {
		return nil
	}
	slices.SortStableFunc(p.found, func(a, b Problem) int { return a.Line - b.Line })
	return p.found
}

// SPDX-License-Identifier: Apache-2.0

package history

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// jepsen is the Source of the log of a Jepsen run, whose lines of jepsen.util tell
// what each process began and how it ended: PROCESS :TYPE :F VALUE, and after
// a failure its reason. Other lines are skipped, events of the nemesis, too.
type jepsen struct {
	in    *lines
	pair  *pairing
	ended bool
	rest  []Op
}

func (j *jepsen) Next() (Op, error) {
	for !j.ended {
		line, err := j.in.next()
		if err == io.EOF {
			j.ended = true
			j.rest = j.pair.rest()
			break
		}
		if err != nil {
			return Op{}, err
		}
		ev, err := jepsenEvent(line)
		if err != nil {
			return Op{}, j.in.wrap(err)
		}
		if ev == nil {
			continue
		}
		ev.line = j.in.line
		op, done, err := j.pair.add(ev)
		if err != nil {
			return Op{}, j.in.wrap(err)
		}
		if done {
			return op, nil
		}
	}
	if len(j.rest) == 0 {
		return Op{}, io.EOF
	}
	op := j.rest[0]
	j.rest = j.rest[1:]
	return op, nil
}

// jepsenEvent reads one line; nil for a line without an operation.
func jepsenEvent(line []byte) (*event, error) {
	_, rest, ok := bytes.Cut(line, []byte("jepsen.util"))
	if !ok {
		return nil, nil
	}
	if !utf8.Valid(line) {
		return nil, fmt.Errorf("the line is not UTF-8")
	}
	entry := afterDash(string(rest))
	fields := strings.Fields(entry)
	if len(fields) > 0 && (strings.HasPrefix(fields[0], "nemesis") || strings.HasPrefix(fields[0], ":nemesis")) {
		return nil, nil
	}
	if len(fields) < 4 {
		return nil, fmt.Errorf("%q is not PROCESS :TYPE :F VALUE", entry)
	}
	process, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil {
		return nil, fmt.Errorf("%q is no process number", fields[0])
	}
	if fields[1][0] != ':' || fields[2][0] != ':' {
		return nil, fmt.Errorf("%q is not PROCESS :TYPE :F VALUE", entry)
	}
	ev := &event{process: process, typ: fields[1][1:], f: fields[2][1:], index: -1, valued: true}
	at := strings.Index(entry, fields[2]) + len(fields[2])
	if ev.value, ev.failure, err = readEDN(entry[at:]); err != nil {
		return nil, fmt.Errorf("the value %q is no EDN form", strings.TrimSpace(entry[at:]))
	}
	if ev.failure != "" && (ev.typ == "invoke" || ev.typ == "ok") {
		return nil, fmt.Errorf("%q follows the value %s; only a :fail or :info may have a reason", ev.failure, ev.value.String())
	}
	ev.failure = strings.TrimPrefix(ev.failure, ":")
	return ev, nil
}

// afterDash drops what stands between the logger's name and the process.
func afterDash(s string) string {
	s = strings.TrimLeft(s, " :\t")
	if rest, ok := strings.CutPrefix(s, "-"); ok && rest != "" && (rest[0] == ' ' || rest[0] == '\t') {
		s = strings.TrimLeft(rest, " \t")
	}
	return s
}

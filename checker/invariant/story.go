// SPDX-License-Identifier: Apache-2.0

package invariant

import (
	"math"
	"strings"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// maxSteps bounds the search for the story of one key.
const maxSteps = 200_000

// story is how the value of a key may have come about: a write that replaced
// whatever was there, or nothing at all, and appends after it. It is looked for
// from its end.
type story struct {
	*keyWrites
	final Final
	until int64
	// chain holds the writes of the story, the last one first; each at most
	// once.
	chain []*history.Op
	used  map[*history.Op]bool // those of chain
	// lost is an acknowledged write that the first story which explains the
	// value leaves out.
	lost  *history.Op
	steps int // left; negative: given up
}

func newStory(k *keyWrites, final Final) *story {
	return &story{keyWrites: k, final: final, until: max(final.At, final.Until), used: make(map[*history.Op]bool), steps: maxSteps}
}

// value tells the value to people.
func (s *story) value() string {
	const most = 200
	switch {
	case s.final.Value == nil:
		return "nothing"
	case len(*s.final.Value) > most:
		return "a value that ends in " + history.String((*s.final.Value)[len(*s.final.Value)-most:]).String()
	}
	return history.String(*s.final.Value).String()
}

// find tells whether there is a story that explains the value and leaves out no
// acknowledged write. If there is none, and steps is not negative, no
// linearizable execution ends like this.
func (s *story) find() bool {
	if s.final.Value == nil {
		return s.begins(s.absents, s.until) || s.complete(math.MinInt64)
	}
	if s.final.Writer != "" && !s.unnamed {
		return s.findByName(*s.final.Value)
	}
	return s.explain(*s.final.Value, s.until)
}

// findByName follows the names of the writes from the last one to the first,
// or to one that does not tell what it was applied to.
func (s *story) findByName(rest string) bool {
	before := s.until // no write that is next in the chain may be called later
	for name := s.final.Writer; name != ""; {
		if name == history.InitialWriter {
			return rest == "" && len(s.chain) > 0 && s.complete(math.MinInt64)
		}
		op := s.byName[name]
		if op == nil || op.Call > before || s.used[op] {
			return false
		}
		before = min(before, op.End())
		s.push(op)
		text := op.Value.Text()
		if op.Kind != history.Append {
			return rest == text && s.complete(before)
		}
		if !strings.HasSuffix(rest, text) {
			return false
		}
		rest, name = strings.TrimSuffix(rest, text), op.ObservedWriter
	}
	return s.explain(rest, before)
}

// explain looks for writes that leave rest, to be put before the chain, each of
// them called at the time before at the latest: by then something in the chain
// was over.
func (s *story) explain(rest string, before int64) bool {
	if s.steps--; s.steps < 0 {
		return false
	}
	if s.begins(s.puts[rest], before) {
		return true
	}
	if rest == "" && len(s.chain) > 0 && (s.begins(s.absents, before) || s.complete(math.MinInt64)) {
		return true
	}
	for _, n := range s.lengths {
		// Appending nothing shows only where it made an empty value.
		if n > len(rest) || n == 0 && (rest != "" || len(s.chain) > 0) {
			continue
		}
		for _, op := range s.appends[rest[len(rest)-n:]] {
			if op.Call > before || s.used[op] {
				continue
			}
			s.push(op)
			if s.explain(rest[:len(rest)-n], min(before, op.End())) {
				return true
			}
			s.pop()
		}
	}
	return false
}

// begins tells whether one of the writes is the beginning of a complete story.
func (s *story) begins(writes []*history.Op, before int64) bool {
	for _, op := range writes {
		if op.Call > before {
			continue
		}
		s.push(op)
		if s.complete(min(before, op.End())) {
			return true
		}
		s.pop()
	}
	return false
}

func (s *story) push(op *history.Op) {
	s.chain = append(s.chain, op)
	s.used[op] = true
}

func (s *story) pop() {
	last := len(s.chain) - 1
	delete(s.used, s.chain[last])
	s.chain = s.chain[:last]
}

// complete tells whether a story that explains the value leaves out no
// acknowledged write. One that is left out must have been replaced, so it must
// have been called before anything in the chain was over.
func (s *story) complete(over int64) bool {
	for _, op := range s.acked {
		if op.Call <= over {
			break
		}
		nothing := op.Kind == history.Append && op.Value.Text() == ""
		if op.Return < s.final.At && !nothing && !s.used[op] {
			if s.lost == nil {
				s.lost = op
			}
			return false
		}
	}
	return true
}

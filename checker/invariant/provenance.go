// SPDX-License-Identifier: Apache-2.0

package invariant

import (
	"math"
	"strings"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// maxSteps bounds the search for the provenance of one value.
const maxSteps = 200_000

// provenance is how the value of a key may have come about: a write that replaced
// whatever was there, or nothing at all, and appends after it. It is looked for
// from its end.
type provenance struct {
	*keyWrites
	final Final
	until int64
	// chain holds the writes of it, the last one first; each at most
	// once.
	chain []*history.Op
	used  map[*history.Op]bool // those of chain
	// lost is an acknowledged write that the first explanation of the value
	// leaves out.
	lost  *history.Op
	steps int // left; negative: given up
}

func newProvenance(k *keyWrites, final Final) *provenance {
	return &provenance{keyWrites: k, final: final, until: max(final.At, final.Until), used: make(map[*history.Op]bool), steps: maxSteps}
}

// value writes the value for people.
func (p *provenance) value() string {
	const most = 200
	switch {
	case p.final.Value == nil:
		return "nothing"
	case len(*p.final.Value) > most:
		return "a value that ends in " + history.String((*p.final.Value)[len(*p.final.Value)-most:]).String()
	}
	return history.String(*p.final.Value).String()
}

// find reports whether there is a chain of writes that explains the value and
// leaves out no acknowledged write. If there is none, and steps is not negative, no
// linearizable execution ends like this.
func (p *provenance) find() bool {
	if p.final.Value == nil {
		return p.begins(p.absents, p.until) || p.complete(math.MinInt64)
	}
	if p.final.Writer != "" && !p.unnamed {
		return p.findByName(*p.final.Value)
	}
	return p.explain(*p.final.Value, p.until)
}

// findByName follows the names of the writes from the last one to the first,
// or to one that does not tell what it was applied to.
func (p *provenance) findByName(rest string) bool {
	before := p.until // no write that is next in the chain may be called later
	for name := p.final.Writer; name != ""; {
		if name == history.InitialWriter {
			return rest == "" && len(p.chain) > 0 && p.complete(math.MinInt64)
		}
		op := p.byName[name]
		if op == nil || op.Call > before || p.used[op] {
			return false
		}
		before = min(before, op.End())
		p.push(op)
		text := op.Value.Text()
		if op.Kind != history.Append {
			return rest == text && p.complete(before)
		}
		if !strings.HasSuffix(rest, text) {
			return false
		}
		rest, name = strings.TrimSuffix(rest, text), op.ObservedWriter
	}
	return p.explain(rest, before)
}

// explain looks for writes that leave rest, to be put before the chain, each of
// them called at the time before at the latest: by then something in the chain
// was over.
func (p *provenance) explain(rest string, before int64) bool {
	if p.steps--; p.steps < 0 {
		return false
	}
	if p.begins(p.puts[rest], before) {
		return true
	}
	if rest == "" && len(p.chain) > 0 && (p.begins(p.absents, before) || p.complete(math.MinInt64)) {
		return true
	}
	for _, n := range p.lengths {
		// Appending nothing shows only where it made an empty value.
		if n > len(rest) || n == 0 && (rest != "" || len(p.chain) > 0) {
			continue
		}
		for _, op := range p.appends[rest[len(rest)-n:]] {
			if op.Call > before || p.used[op] {
				continue
			}
			p.push(op)
			if p.explain(rest[:len(rest)-n], min(before, op.End())) {
				return true
			}
			p.pop()
		}
	}
	return false
}

// begins reports whether one of the writes is the beginning of a complete chain.
func (p *provenance) begins(writes []*history.Op, before int64) bool {
	for _, op := range writes {
		if op.Call > before {
			continue
		}
		p.push(op)
		if p.complete(min(before, op.End())) {
			return true
		}
		p.pop()
	}
	return false
}

func (p *provenance) push(op *history.Op) {
	p.chain = append(p.chain, op)
	p.used[op] = true
}

func (p *provenance) pop() {
	last := len(p.chain) - 1
	delete(p.used, p.chain[last])
	p.chain = p.chain[:last]
}

// complete reports whether a chain that explains the value leaves out no
// acknowledged write. One that is left out must have been replaced, so it must
// have been called before anything in the chain was over.
func (p *provenance) complete(over int64) bool {
	for _, op := range p.acked {
		if op.Call <= over {
			break
		}
		nothing := op.Kind == history.Append && op.Value.Text() == ""
		if op.Return < p.final.At && !nothing && !p.used[op] {
			if p.lost == nil {
				p.lost = op
			}
			return false
		}
	}
	return true
}

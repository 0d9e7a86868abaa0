// SPDX-License-Identifier: Apache-2.0

package keylog

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/model"
)

// Builder takes in the operations of one part of a history. It keeps nothing
// of an operation but copies. It is not safe for concurrent use; different
// Builders are.
type Builder struct {
	model model.Model
	keys  map[string]*keyPart
	order []*keyPart // by first appearance
	len   int
	// entries and text are the memory for the next blocks.
	entries []Entry
	text    []byte
}

// NewBuilder returns an empty part of a history of key-value operations. m is
// a model of model.KeyValue.
func NewBuilder(m model.Model) *Builder {
	return &Builder{model: m, keys: make(map[string]*keyPart)}
}

// maxOps is the number of operations that a log can number.
const maxOps = math.MaxInt32

var errTooLong = errors.New("a log holds 2^31-1 operations at most")

var errLongValue = fmt.Errorf("a value is longer than %d bytes", maxValue)

// Len returns the number of operations that were added.
func (b *Builder) Len() int { return b.len }

// Add takes in an operation; a stale read is counted, and no part of the log. The error says why it is none of the model, or
// that there are too many for one log.
func (b *Builder) Add(op *history.Op) error {
	if b.len >= maxOps {
		return errTooLong
	}
	if op.Kind == history.Stale {
		b.len++
		return op.Validate()
	}
	if err := b.model.Validate(op); err != nil {
		return err
	}
	if max(len(op.Value.Text()), len(op.Expected.Text()), len(op.Observed.Text())) > maxValue {
		return errLongValue
	}
	k, ok := b.keys[op.Key]
	if !ok {
		k = &keyPart{name: strings.Clone(op.Key)}
		b.keys[k.name] = k
		b.order = append(b.order, k)
	}
	if len(k.last.entries) == cap(k.last.entries) || len(k.last.text) > maxBlockText {
		b.open(k)
	}
	k.add(op, uint32(b.len), b.model.Constrains(op))
	b.len++
	return nil
}

// keyPart is what a part of a history says about one key.
type keyPart struct {
	last     block // that is being filled
	features Features
	name     string
	full     []block
	len      int
}

// block holds entries whose states are still the places of their values in
// text, plus one; 0 stands for a value that is absent.
type block struct {
	entries []Entry
	text    []byte
}

const (
	// Blocks grow with their number: most keys of a short history have a few
	// operations, those of a long one thousands.
	leastBlock, blockGrowth, mostBlock = 8, 4, 256
	// textOfEntry is the room for text that a block has at first, an entry.
	textOfEntry = 16
	// slabEntries is the number of entries for which memory is asked for at
	// once.
	slabEntries = 1 << 14
	// maxValue and maxBlockText keep places in a text within 32 bits: a block
	// is closed by the entry that makes it longer than maxBlockText.
	maxValue     = 1 << 28
	maxBlockText = 1 << 30
)

// open gives a key a new block.
func (b *Builder) open(k *keyPart) {
	size := leastBlock
	if k.last.entries != nil {
		k.full = append(k.full, k.last)
		size = min(cap(k.last.entries)*blockGrowth, mostBlock)
	}
	if len(b.entries) < size {
		// A short history does not ask for more than it needs.
		n := min(max(b.len, mostBlock), slabEntries)
		b.entries, b.text = make([]Entry, n), make([]byte, n*textOfEntry)
	}
	k.last = block{entries: b.entries[:0:size], text: b.text[: 0 : size*textOfEntry]}
	b.entries, b.text = b.entries[size:], b.text[size*textOfEntry:]
}

func (k *keyPart) add(op *history.Op, at uint32, constrains bool) {
	b := &k.last
	k.len++
	b.entries = append(b.entries, Entry{Call: op.Call, Ret: op.End(), At: at})
	if !constrains {
		return
	}
	e := &b.entries[len(b.entries)-1]
	if op.Writer != "" || op.ObservedWriter != "" {
		k.features |= NamedWrites
	}
	switch op.Kind {
	case history.Get:
		e.Kind, e.Seen = Read, b.put(op.Observed)
	case history.Put:
		e.Kind, e.Value = Write, b.put(op.Value)
	case history.Delete:
		e.Kind = Write
	case history.Append:
		e.Kind, e.Value = Append, b.put(op.Value)
		k.features |= Appends
	case history.Cas:
		k.addCas(b, e, op)
	}
}

func (k *keyPart) addCas(b *block, e *Entry, op *history.Op) {
	switch {
	case op.Outcome != history.Fail:
		e.Kind, e.Seen, e.Value = ReadModifyWrite, b.put(op.Expected), b.put(op.Value)
	case !op.Observed.Stated():
		e.Kind, e.Seen = Mismatch, b.put(op.Expected)
		k.features |= Mismatches
	case op.Observed == op.Expected:
		e.Kind, e.Seen = Contradiction, b.put(op.Expected)
	default:
		e.Kind, e.Seen = Read, b.put(op.Observed)
	}
}

// put writes a value into the block's text and returns its place plus one.
func (b *block) put(v history.Value) uint32 {
	if v.IsAbsent() {
		return 0
	}
	at := len(b.text)
	b.text = encode(b.text, v)
	return uint32(at) + 1
}

// kindBits are the bits of a value's header that say what kind it is of; the
// others are its length.
const kindBits = 1

const headerSize = 4

// encode appends a value: a header of four bytes, and its text.
func encode(b []byte, v history.Value) []byte {
	text := v.Text()
	h := uint32(len(text)) << kindBits
	if v.IsText() {
		h |= 1
	}
	b = append(b, byte(h), byte(h>>8), byte(h>>16), byte(h>>24))
	return append(b, text...)
}

// encoded returns the value that b begins with, with its header.
func encoded(b []byte) []byte {
	return b[:headerSize+header(b)>>kindBits]
}

func header(b []byte) uint32 {
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
}

func decode(b []byte) history.Value {
	h := header(b)
	text := string(b[headerSize : headerSize+h>>kindBits])
	switch {
	case h&1 != 0:
		return history.String(text)
	case text == "true" || text == "false":
		return history.Bool(text == "true")
	}
	return history.Integer(text)
}

// maxStates is the number of states that a key can have: packages zones and
// search use the upper bits for marks.
const maxStates = math.MaxInt32

func errTooManyValues(key string) error {
	return fmt.Errorf("the values of key %q are more than a log holds: %d, or 2 GiB", key, maxStates)
}
